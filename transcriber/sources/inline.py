"""Audio in the request itself, held there as base64 text and decoded block by block."""

from typing import ClassVar

from transcriber.request.base64_text import Base64Text
from transcriber.sources.base import Reader, Source


class InlineSource(Source):
    """The audio in a request; `encoded` is its base64 text, which a backend may pass on unchanged."""

    kind: ClassVar[str] = "inline"

    def __init__(self, encoded: Base64Text, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)
        self.encoded = encoded
        self.size_bytes = encoded.size_bytes

    def _connect(self, start: int) -> Reader:
        reader = _Decoding(self.encoded, start // 3 * 3)
        reader.skip(start % 3)
        return reader


class _Decoding(Reader):
    """Decodes while it is read, from a multiple of 3 on; `_rest` are decoded bytes beyond the requested size."""

    def __init__(self, encoded: Base64Text, position: int) -> None:
        self._encoded = encoded
        self._position = position
        self._rest = b""

    def read(self, size: int) -> bytes:
        if not self._rest:
            end = self._position + -(-size // 3) * 3
            self._rest = self._encoded.decode(self._position, end)
            self._position = end
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def close(self) -> None:
        self._rest = b""
