"""The page in the browser, and the endpoints that serve it."""
