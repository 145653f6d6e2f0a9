"""The secret of callbacks, and the signature that is made with it: without a connection, for what only checks them.

The form is that of https://www.standardwebhooks.com.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from transcriber.errors import SettingsError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 # what every secret begins with
# The shortest secret that the standard allows.
LEAST_SECRET_BYTES = 24


def read_secret(secret: str | None) -> bytes:
    """The key in CALLBACK_SECRET; `SettingsError` when it is missing or malformed."""
    if secret is None:
        raise SettingsError("CALLBACK_SECRET", "is not set, and callbacks are signed with it")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < LEAST_SECRET_BYTES:
        message = f"is no {SECRET_PREFIX} followed by base64 of at least {LEAST_SECRET_BYTES} random bytes"
        raise SettingsError("CALLBACK_SECRET", message)
    return key


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of `body`, sent at `timestamp` (seconds since 1970) under `message_id`."""
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
