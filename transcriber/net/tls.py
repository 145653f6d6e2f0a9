"""TLS contexts that check certificates and names against the roots of `certifi`.

Making one reads every root certificate, which takes 27 ms of CPU.
"""

import ssl
from functools import cache

import certifi


def new_client_context() -> ssl.SSLContext:
    """A context of its own, for a client that changes it."""
    return ssl.create_default_context(cafile=certifi.where())


@cache
def client_context() -> ssl.SSLContext:
    """The context that all other clients share."""
    return new_client_context()
