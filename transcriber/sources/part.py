"""A source from some byte on: what follows tags, or a file that was joined to another one."""

from typing import ClassVar

from transcriber.sources.base import Reader, ResumedReader, Source


class SourceFrom(Source):
    """`source` from the byte `start` on; what was peeked of it is not requested again."""

    kind: ClassVar[str] = "part"

    def __init__(self, source: Source, start: int) -> None:
        super().__init__(max_bytes=source.max_bytes)
        self._source = source
        self._start = start
        self._note_size()

    @property
    def can_be_read_again(self) -> bool:
        """Whether the whole source can be read again."""
        return self._source.can_be_read_again

    def _connect(self, start: int) -> Reader:
        position = self._start + start
        if self._source.can_be_read_again and position > self._source.peeked_bytes:
            reader = self._source.open(position)
        else:
            reader = self._source.open()
            reader.skip(position)
        self._note_size()
        return reader

    def _note_size(self) -> None:
        size_bytes = self._source.size_bytes
        self.size_bytes = None if size_bytes is None else max(0, size_bytes - self._start)

    def close(self) -> None:
        """Close what is still open of it, and the source."""
        super().close()
        self._source.close()


class RestOfReading(Source):
    """What `reader` has not read yet, after `head`, which was read already; it can be read once."""

    kind: ClassVar[str] = "part"

    def __init__(self, head: bytes, reader: Reader, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)
        self._rest: Reader | None = ResumedReader(head, reader)

    @property
    def can_be_read_again(self) -> bool:
        """Never."""
        return False

    def _connect(self, start: int) -> Reader:
        rest, self._rest = self._rest, None
        if rest is None or start:
            raise AssertionError("it is read once, from its start")  # as each reader of such sources does
        return rest
