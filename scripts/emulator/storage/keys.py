"""Object keys: their limit, and moto's routes made to take keys of any form."""

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from moto.moto_server import werkzeug_app
from moto.moto_server.utilities import RegexConverter

from emulator.storage.signatures import Refusal

# The documented limit, in bytes of UTF-8.
MAX_KEY_BYTES = 1024

TOO_LONG = Refusal(HTTPStatus.BAD_REQUEST, "KeyTooLongError", f"A key has at most {MAX_KEY_BYTES} bytes")
NO_TEXT = Refusal(HTTPStatus.BAD_REQUEST, "InvalidURI", "A key has to be UTF-8")

# moto's patterns of a key, whose dot matches no line end, and those that take the place of them.
_PATTERNS = {".+": r"[\s\S]+", "/.*": r"/[\s\S]*"}


def problem_of_key(path: str) -> Refusal | None:
    """The reason to refuse the key in the path of a request, `/<bucket>/<key>` as it was sent."""
    _, _, key = unquote_to_bytes(path).removeprefix(b"/").partition(b"/")
    if len(key) > MAX_KEY_BYTES:
        return TOO_LONG
    try:
        key.decode()
    except UnicodeDecodeError:
        return NO_TEXT
    return None


def take_any_key() -> None:
    """Change moto's routes; to be called before it makes its application."""
    werkzeug_app.RegexConverter = _AnyCharacterConverter  # type: ignore[attr-defined] # imported there


class _AnyCharacterConverter(RegexConverter):
    """A part of a route; that of a key matches any character."""

    def __init__(self, url_map: Any, *patterns: str) -> None:
        super().__init__(url_map, *(_PATTERNS.get(pattern, pattern) for pattern in patterns))
