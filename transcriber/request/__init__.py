"""Event in, typed request out.

Belongs here: reading events, fields, options and uploads, and saying which of them is wrong. Never here: bytes of
audio, the network, or a decision about what to do with a request.
"""
