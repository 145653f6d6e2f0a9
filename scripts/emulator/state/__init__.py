"""The platform's state: recent requests, active faults, and the snapshot that the endpoints return.

Never here: calls of the function, or endpoints.
"""
