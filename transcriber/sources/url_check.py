"""Which addresses are never fetched, by their form alone."""

import re
from typing import Final
from urllib.parse import urlsplit

from transcriber.errors import AddressRefusedError, RequestError

MAX_URL_LENGTH: Final = 4_096


def check_url(url: str) -> None:
    """Raise `AddressRefusedError` or `RequestError` for a `url` that is never fetched."""
    if len(url) > MAX_URL_LENGTH or re.search(r"[\x00-\x20\x7f\\]", url):
        message = (
            f"The url is not a valid address: it has spaces, control characters, or over {MAX_URL_LENGTH} characters."
        )
        raise RequestError(message, param="url")
    try:
        parts = urlsplit(url)
        # A % in a host is an escape, which parsers interpret differently, or names a network interface.
        valid = bool(parts.hostname) and "%" not in (parts.hostname or "") and parts.port != 0
    except ValueError:
        raise RequestError("The url is not a valid address.", param="url") from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise AddressRefusedError("Only http and https addresses are fetched.", param="url")
    if parts.username is not None or parts.password is not None:
        message = "The url holds a user name or a password; send a presigned address instead."
        raise AddressRefusedError(message, param="url")
    if not valid:
        raise RequestError("The url is not a valid address.", param="url")
