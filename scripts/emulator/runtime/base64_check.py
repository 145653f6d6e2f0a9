"""Reads base64 as Go's `base64.StdEncoding` does, down to the byte that it names in an error; pure."""

import re

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_QUANTUM = 4
_LINE_ENDS = b"\r\n"
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_PADDING = ord("=")
# A quantum ends with padding after this many characters at least.
_FEWEST_CHARACTERS = 2


def is_base64(text: str) -> bool:
    """Whether Go's `base64.StdEncoding` decodes `text`: CR and LF are skipped, padding is required, empty is fine."""
    encoded = text.replace("\r", "").replace("\n", "")
    return len(encoded) % _QUANTUM == 0 and _BASE64.fullmatch(encoded) is not None


def illegal_byte(text: str) -> int:
    """The position that Go's error names for a `text` that is not base64: in bytes of UTF-8, line ends included.

    A text that ends within a quantum is reported at a position that does not count the quantum's characters, which
    Go computes by subtracting their number. Raises `ValueError` for base64.
    """
    data = text.encode("utf-8", "replace")
    place = _Reader(data)
    while True:
        characters = 0
        while characters < _QUANTUM:
            byte = place.next_byte()
            if byte is None:
                if characters == 0:
                    raise ValueError("The text is base64")
                return place.position - characters
            if byte in _ALPHABET:
                characters += 1
                continue
            if byte != _PADDING or characters < _FEWEST_CHARACTERS:
                return place.position - 1
            return _after_padding(place, characters)


def _after_padding(place: "_Reader", characters: int) -> int:
    """The illegal byte of a text whose last quantum has `characters`, and the first `=` after them."""
    if characters == _FEWEST_CHARACTERS:
        second = place.peek()
        if second is None:
            return len(place.data)
        if second != _PADDING:
            return place.position - 1
        place.position += 1
    if place.peek() is None:
        raise ValueError("The text is base64")
    return place.position


class _Reader:
    """Reads bytes in order, without line ends."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def peek(self) -> int | None:
        while self.position < len(self.data) and self.data[self.position] in _LINE_ENDS:
            self.position += 1
        return self.data[self.position] if self.position < len(self.data) else None

    def next_byte(self) -> int | None:
        byte = self.peek()
        if byte is not None:
            self.position += 1
        return byte
