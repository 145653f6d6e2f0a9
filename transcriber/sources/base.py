"""What every source is: bytes that are read from the start, after a look at their beginning."""

import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Self

from transcriber.errors import AudioTooLargeError
from transcriber.settings import BYTES_PER_MB

# The block size in which bytes are skipped.
SKIP_BYTES = 256 * 1024


class Closing(ABC):
    """An object that is closed at the end of its `with` block."""

    @abstractmethod
    def close(self) -> None:
        """Close everything that is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Reader(Closing):
    """One reading of a source, from its start to its end."""

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Up to `size` bytes, and none only at the end; `SourceError` where the rest cannot be read."""

    @abstractmethod
    def close(self) -> None:
        """End the reading at any point; a transfer under way is broken off."""

    def skip(self, size: int) -> None:
        """Read `size` bytes, or up to the end, and drop them."""
        while size > 0 and (block := self.read(min(size, SKIP_BYTES))):
            size -= len(block)

    def read_fully(self, size: int) -> bytes:
        """`size` bytes, or fewer at the end."""
        block = self.read(size) if size > 0 else b""
        if len(block) == size or not block:
            return block  # the usual case; collecting would copy it twice
        # Collected in one place: a server may send two bytes at a time, and each block of its own would take forty.
        collected = bytearray(block)
        while len(collected) < size and (block := self.read(size - len(collected))):
            collected += block
        return bytes(collected)


class Source(Closing):
    """Bytes that are read from any position, as often as needed if `can_be_read_again`.

    `size_bytes` is None until it is known, at the latest when a reading has reached the end. `bytes_read` counts the
    bytes of all readings.
    """

    kind: ClassVar[str]

    def __init__(self, *, max_bytes: int) -> None:
        self.size_bytes: int | None = None
        self.bytes_read = 0
        self.max_bytes = max_bytes
        self._head = b""
        self._peeked: Reader | None = None
        self._first_byte_requested_at: float | None = None
        self._last_byte_at: float | None = None

    @abstractmethod
    def _connect(self, start: int) -> Reader:
        """A new reading from the byte `start` on; sets `size_bytes` where the source states it."""

    @property
    def can_be_read_again(self) -> bool:
        """Whether a second reading certainly gives the same bytes; known once the first one has begun."""
        return True

    def peek(self, size: int) -> bytes:
        """The first `size` bytes, or all if there are fewer; the next `open` still starts at the first byte."""
        if self._peeked is None:
            self._peeked, self._head = self._begin(0), b""
        self._head += self._peeked.read_fully(size - len(self._head))
        return self._head[:size]

    @property
    def peeked_bytes(self) -> int:
        """The number of first bytes that the next `open` does not request again."""
        return 0 if self._peeked is None else len(self._head)

    def open(self, start: int = 0) -> Reader:
        """A reading from the byte `start` on; close it. `SourceLostError` where no second one is possible."""
        if self._peeked is None or start:
            return self._begin(start)
        reader, self._peeked = ResumedReader(self._head, self._peeked), None
        self._head = b""
        return reader

    def close(self) -> None:
        """Close everything that is still open."""
        if self._peeked is not None:
            self._peeked.close()
            self._peeked = None

    @property
    def transfer_seconds(self) -> float:
        """Wall time from the request for the first byte to the last byte that arrived, of all readings."""
        if self._first_byte_requested_at is None or self._last_byte_at is None:
            return 0.0
        return self._last_byte_at - self._first_byte_requested_at

    def _begin(self, start: int) -> Reader:
        if self._first_byte_requested_at is None:
            self._first_byte_requested_at = time.monotonic()
        reader = self._connect(start)
        try:
            self._check_size(self.size_bytes or 0)
        except AudioTooLargeError:
            reader.close()
            raise
        return _Metered(reader, self, start)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self.max_bytes:
            found = f"{size_bytes / BYTES_PER_MB:.1f} MB" if size_bytes == self.size_bytes else "more"
            raise AudioTooLargeError(
                f"The audio has {found}; the limit is {self.max_bytes / BYTES_PER_MB:g} MB (MAX_AUDIO_MB)."
            )

    def received(self, size_bytes: int, *, position: int) -> None:
        """Count `size_bytes` more, up to `position`; 0 means the end. `AudioTooLargeError` over the limit."""
        self._last_byte_at = time.monotonic()
        self.bytes_read += size_bytes
        if not size_bytes:
            self.size_bytes = position
        self._check_size(position)


class _Metered(Reader):
    """A reading that reports its progress to the source, and so never passes the limit."""

    def __init__(self, reader: Reader, source: Source, start: int) -> None:
        self._reader = reader
        self._source = source
        self._position = start

    def read(self, size: int) -> bytes:
        block = self._reader.read(size)
        self._position += len(block)
        self._source.received(len(block), position=self._position)
        return block

    def close(self) -> None:
        self._reader.close()


class ResumedReader(Reader):
    """A reading that begins with bytes that were read before."""

    def __init__(self, head: bytes, rest: Reader) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def read(self, size: int) -> bytes:
        """The bytes that were read before, then the rest."""
        if self._head:
            block, self._head = bytes(self._head[:size]), self._head[size:]
            return block
        return self._rest.read(size)

    def close(self) -> None:
        """Close the rest."""
        self._rest.close()
