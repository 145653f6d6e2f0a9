"""The page in the browser, and the endpoints that serve it.

Never here: the platform's state or faults, which the page reads and changes through endpoints.
"""
