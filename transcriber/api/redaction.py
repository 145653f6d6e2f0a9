"""Makes a foreign text fit for a message: short, on one line, without secrets, payloads or internal addresses."""

import ipaddress
import re
from collections.abc import Iterable

# Long enough for what an API explains, short enough for a line of a log.
MAX_TEXT_LENGTH = 300

# The part of a text that is redacted and shown from: patterns would take long over megabytes.
MAX_EXAMINED = 4_096

# A run this long without a space is not a word but a payload, a token or a key.
_OPAQUE = re.compile(r"[A-Za-z0-9+/_=-]{40,}")
# The address of a server behind the API reveals its network.
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)]+", re.IGNORECASE)
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])")


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """`text` on one line, shortened; secrets, payloads and internal addresses are replaced by `[…]`."""
    for secret in secrets:
        text = text.replace(secret, "[…]")
    text = text[:MAX_EXAMINED]
    text = _CONTROL_OR_SPACE.sub(" ", text).strip()
    text = _URL.sub("[…]", text)
    text = _OPAQUE.sub("[…]", text)
    for pattern in (_IPV6, _IPV4):
        text = pattern.sub(_hide_internal_address, text)
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 1] + "…"


def _hide_internal_address(match: re.Match[str]) -> str:
    try:
        return match[0] if ipaddress.ip_address(match[0]).is_global else "[…]"
    except ValueError:
        return match[0]
