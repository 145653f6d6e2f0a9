"""Audio in the request itself, held there as base64 text and decoded block by block."""

from typing import ClassVar

from transcriber.encoded import Base64Text
from transcriber.sources.base import Reader, Source


class InlineSource(Source):
    """The audio that came with the request; `encoded` is its base64 text, which a backend may pass on as it is."""

    kind: ClassVar[str] = "inline"

    def __init__(self, encoded: Base64Text, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)
        self.encoded = encoded
        self.size_bytes = encoded.size_bytes

    def _connect(self) -> Reader:
        return _Decoding(self.encoded)


class _Decoding(Reader):
    """Decodes as it is read; `_rest` holds what a block of three had more than was asked for."""

    def __init__(self, encoded: Base64Text) -> None:
        self._encoded = encoded
        self._position = 0
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
