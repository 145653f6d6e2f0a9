"""The local platform: what the function meets in the cloud, on loopback, with a real recogniser and no account."""
