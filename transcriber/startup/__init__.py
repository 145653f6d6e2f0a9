"""What makes a cold start fast, before and while the rest is imported; a request is answered right without it."""
