"""The body of one call of the API: produced while it is sent, so that the audio is never held."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from transcriber.sources.base import Reader

# The client reads 64 KiB at a time by default; each block costs a pass through its layers, a third of all CPU at that
# size.
BLOCK_BYTES = 256 * 1024


class StreamedBody:
    """A body in pieces, `size_bytes` in all.

    `is_whole` says whether all pieces were read; the client reads the next one when the last is sent.
    """

    def __init__(
        self, content_type: str, size_bytes: int, pieces: Iterator[bytes], *, close: Callable[[], None]
    ) -> None:
        self.content_type = content_type
        self.size_bytes = size_bytes
        self.is_whole = False
        self.close = close
        self._pieces = pieces

    @property
    def headers(self) -> dict[str, str]:
        """The headers that describe it."""
        return {"Content-Type": self.content_type, "Content-Length": str(self.size_bytes)}

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        self.is_whole = True


class FilePart:
    """The audio as the file part of a form, with the methods of a file that the client library uses and no more.

    The library finds the length by seeking to the end and back, before it reads the first byte.
    """

    def __init__(self, reader: Reader, size_bytes: int) -> None:
        self._reader = reader
        self._size_bytes = size_bytes
        self._has_begun = False
        self.is_whole = False

    def read(self, _size: int) -> bytes:
        """The next `BLOCK_BYTES`, whatever size the client requests, or fewer at the end."""
        self._has_begun = True
        block = self._reader.read_fully(BLOCK_BYTES)
        self.is_whole = not block
        return block

    def tell(self) -> int:
        """The position before the first byte is read."""
        return 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """The length, for `SEEK_END`; the position never changes, and once reading has begun it cannot."""
        if self._has_begun:
            raise io.UnsupportedOperation
        return self._size_bytes if whence == io.SEEK_END else offset

    def close(self) -> None:
        """End the reading."""
        self._reader.close()


@dataclass(frozen=True)
class FormBody:
    """A body of multipart/form-data (RFC 7578), which the client library encodes."""

    fields: Mapping[str, str]
    filename: str
    content_type: str
    file: FilePart

    @property
    def is_whole(self) -> bool:
        """Whether all of the audio was read."""
        return self.file.is_whole

    def close(self) -> None:
        """End the reading of the audio."""
        self.file.close()


RequestBody: TypeAlias = StreamedBody | FormBody
