"""The one TLS context that all connections share: making it reads every root certificate, which takes 27 ms of CPU."""

import ssl
from functools import cache

import certifi


@cache
def client_context() -> ssl.SSLContext:
    """A context that checks certificates and names against the roots that `certifi` lists."""
    return ssl.create_default_context(cafile=certifi.where())
