"""The platform's core and the function's instances: requests become events, return values become responses.

Never here: triggers, or the choice of the requests that a fault hits.
"""
