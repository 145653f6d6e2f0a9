"""Audio in Object Storage: one version of it, read on demand, and resumed where a transfer broke off."""

from collections.abc import Iterator
from typing import ClassVar, Protocol

from transcriber.cloud.object_storage import StoredObject
from transcriber.deadline import Deadline
from transcriber.errors import SourceFailedError, SourceTimeoutError
from transcriber.sources.base import Reader, Source

# A transfer that breaks off more often does not do so by chance.
MAX_RESUMPTIONS = 3
# As many first bytes as are looked through for audio.
FIRST_BYTES = 256 * 1024


class ObjectReading(Protocol):
    """The part of the storage that a source needs."""

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of one version, from `start` to `end`, block by block."""


class ObjectSource(Source):
    """The object `stored` of `bucket`; `SourceChangedError` when another version takes its place meanwhile.

    With `is_doubtful`, its first bytes are requested by themselves, since it may turn out to be no audio.
    """

    kind: ClassVar[str] = "storage"

    def __init__(
        self,
        storage: ObjectReading,
        bucket: str,
        stored: StoredObject,
        *,
        max_bytes: int,
        deadline: Deadline,
        is_doubtful: bool = False,
    ) -> None:
        super().__init__(max_bytes=max_bytes)
        self._storage = storage
        self._bucket = bucket
        self._stored = stored
        self._deadline = deadline
        self.size_bytes = stored.size_bytes
        self._first_bytes = FIRST_BYTES if is_doubtful else None

    def _connect(self, start: int) -> Reader:
        return _Download(self, start)

    def blocks(self, start: int) -> Iterator[bytes]:
        """The bytes from `start`, block by block."""
        if start >= self._stored.size_bytes:
            return iter(())  # there is no such range
        # After those come the others, in a request of their own.
        end, self._first_bytes = (self._first_bytes if start == 0 else None), None
        return self._storage.read(self._bucket, self._stored.key, etag=self._stored.etag, start=start, end=end)

    def check_time(self) -> None:
        """Raise `SourceTimeoutError` when no time is left."""
        if self._deadline.has_passed():
            raise SourceTimeoutError(f"The audio did not arrive within {self._deadline.limit}.", param="key")


class _Download(Reader):
    def __init__(self, source: ObjectSource, start: int) -> None:
        self._source = source
        self._position = start
        self._blocks = source.blocks(start)
        self._rest = memoryview(b"")
        self._resumptions = 0

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = memoryview(self._next_block())
        block, self._rest = bytes(self._rest[:size]), self._rest[size:]
        self._position += len(block)
        return block

    def _next_block(self) -> bytes:
        while True:
            self._source.check_time()
            try:
                block = next(self._blocks, b"")
                if block or self._position != FIRST_BYTES:
                    return block
                self._blocks = self._source.blocks(self._position)  # unless the object has no more
                return next(self._blocks, b"")
            except SourceFailedError:
                self._resumptions += 1
                if self._resumptions > MAX_RESUMPTIONS:
                    raise
                self._blocks = self._source.blocks(self._position)

    def close(self) -> None:
        self._rest = memoryview(b"")
        self._blocks = iter(())
