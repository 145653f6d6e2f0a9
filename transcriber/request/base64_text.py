"""Audio that arrives as base64 text: checked and normalised, never decoded as a whole."""

import re
import string
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import dataclass, field

from transcriber.errors import RequestError

# Checks and translations of whole bodies are single passes over bytes: a pattern would take ten times as long.
_LETTERS = (string.ascii_letters + string.digits + "+/").encode()
_LINE_BREAKS = b"\r\n\t"
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_DATA_URL = re.compile(r"data:[^,]{0,200}?(?P<base64>;base64)?,", re.IGNORECASE)


@dataclass(frozen=True)
class Base64Text:
    """Base64 of the standard alphabet with its padding and without line breaks: four characters for three bytes."""

    text: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Bytes that the text decodes to."""
        return len(self.text) // 4 * 3 - self.text[-2:].count(b"=")

    def decode(self, start: int, end: int) -> bytes:
        """The bytes from `start`, a multiple of 3, to `end` or the last one."""
        return a2b_base64(memoryview(self.text)[start // 3 * 4 : -(-end // 3) * 4])

    def pieces(self, size: int) -> Iterator[bytes]:
        """The text itself, in pieces of `size` characters."""
        for start in range(0, len(self.text), size):
            yield self.text[start : start + size]


def read_base64(text: str, *, param: str | None) -> Base64Text:
    """`text`, normalised: it may be a `data:` URL, wrapped in lines, in the URL-safe alphabet, or without padding.

    `RequestError` says what is wrong with anything else; `param` is the field with the text.
    """
    what = param or "The body"
    text = text.strip()
    start = 0
    if match := _DATA_URL.match(text):
        if not match["base64"]:
            raise RequestError(f"{what} is a data: URL without ;base64.", param=param)
        start = match.end()
    encoded = text[start:].encode("ascii", "replace").translate(_TO_STANDARD, _LINE_BREAKS)
    strange = encoded.translate(None, _LETTERS)
    if strange not in {b"", b"=", b"=="} or not encoded.endswith(strange):
        raise RequestError(_fault(what, encoded), param=param)
    if not strange:
        encoded += b"=" * (-len(encoded) % 4)
    if len(encoded) % 4 or encoded.endswith(b"==="):
        raise RequestError(f"{what} is cut off: base64 has four characters for each three bytes.", param=param)
    return Base64Text(encoded)


def _fault(what: str, encoded: bytes) -> str:
    found = re.search(rb"[^A-Za-z0-9+/]", encoded)
    position = found.start() if found else 0
    match encoded[position : position + 1]:
        case b" ":
            reason = "a space, which a + becomes when base64 is sent as a form; send it as JSON, or as it is"
        case b"=":
            reason = "text after its padding; send one recording"
        case _:
            reason = "a character that is not base64"
    return f"{what} is not base64 text: at position {position} it has {reason}."
