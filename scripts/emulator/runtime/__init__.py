"""The platform's core and the function's instances: requests become events, answers become responses."""
