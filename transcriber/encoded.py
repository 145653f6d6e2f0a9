"""Audio that arrives as base64 text: checked and normalised, never decoded as a whole."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from transcriber.errors import RequestError

_STANDARD = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_DATA_URL = re.compile(r"data:(?P<type>[^,]{0,200}?)(?P<base64>;base64)?,", re.IGNORECASE)
_LINE_BREAKS = str.maketrans("", "", "\r\n\t")
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True)
class Base64Text:
    """Base64 of the standard alphabet with its padding and without line breaks: four characters for three bytes."""

    text: str = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Bytes that the text decodes to."""
        return len(self.text) // 4 * 3 - self.text[-2:].count("=")

    def decode(self, start: int, end: int) -> bytes:
        """The bytes from `start`, a multiple of 3, to `end` or the last one."""
        return base64.b64decode(self.text[start // 3 * 4 : -(-end // 3) * 4])

    def pieces(self, size: int) -> Iterator[bytes]:
        """The text itself, in pieces of `size` characters."""
        for start in range(0, len(self.text), size):
            yield self.text[start : start + size].encode()


def read_base64(text: str, *, param: str | None) -> Base64Text:
    """`text`, which may be a `data:` URL, wrapped in lines, of the URL-safe alphabet, or without its padding.

    `RequestError` says what is wrong with anything else; `param` is the field that it came from.
    """
    what = param or "The body"
    text = text.strip()
    if match := _DATA_URL.match(text):
        if not match["base64"]:
            raise RequestError(f"{what} is a data: URL without ;base64.", param=param)
        text = text[match.end() :]
    text = text.translate(_LINE_BREAKS)
    if "-" in text or "_" in text:
        text = text.translate(_URL_SAFE)
    if not _STANDARD.fullmatch(text):
        raise RequestError(_complaint(what, text), param=param)
    if not text.endswith("="):
        text += "=" * (-len(text) % 4)
    if len(text) % 4 or text.endswith("==="):
        raise RequestError(f"{what} is cut off: base64 has four characters for each three bytes.", param=param)
    return Base64Text(text)


def _complaint(what: str, text: str) -> str:
    found = re.search(r"[^A-Za-z0-9+/]", text)
    position = found.start() if found else len(text) - 1
    if text[position] == " ":
        reason = "a space, which a + becomes when base64 is sent as a form; send it as JSON, or as it is"
    elif text[position] == "=":
        reason = "text after its padding; send one recording"
    else:
        reason = "a character that is not base64"
    return f"{what} is no base64 text: at position {position} it has {reason}."
