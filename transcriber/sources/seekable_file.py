"""Lets a source be read as a file, for libraries that know files alone."""

import io

from transcriber.sources.base import Reader, Source

# Reading this much that is not needed is faster than asking for another place.
SKIPPED_BYTES = 1024 * 1024
# An hour of M4A, in a function of 256 MB.
MAX_HELD_BYTES = 32 * 1024 * 1024


class SeekableSourceFile(io.RawIOBase):
    """A source as a file that is read at any place; a new reading is begun where skipping would take longer."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reader: Reader | None = None
        self._reader_at = 0
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, at a price."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, up to `size`; none at the end."""
        if size < 0:
            raise io.UnsupportedOperation("only pieces are read")
        ahead = self._position - self._reader_at
        if self._reader is not None and 0 < ahead <= SKIPPED_BYTES:
            self._reader.skip(ahead)
        elif self._reader is None or ahead:
            self._reopen()
        self._reader_at = self._position
        if self._reader is None:
            return b""
        block = self._reader.read(size)
        self._position += len(block)
        self._reader_at = self._position
        return block

    def _reopen(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        known = self._source.size_bytes
        if known is None or self._position < known:
            self._reader = self._source.open(self._position)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read from there on, next time; `UnsupportedOperation` for the end of a source whose size is not known."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            if self._source.size_bytes is None:
                raise io.UnsupportedOperation("the size is not known")
            offset += self._source.size_bytes
        self._position = max(0, offset)
        return self._position

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def close(self) -> None:
        """End the reading."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        super().close()


class FileInOrder:
    """The same for a source that is read once: it has no `seek`, so that nobody tries."""

    def __init__(self, source: Source) -> None:
        self._file = SeekableSourceFile(source)
        self.read = self._file.read
        self.close = self._file.close


def file_of(source: Source, *, has_index: bool) -> SeekableSourceFile | FileInOrder | io.BytesIO:
    """The source as a file; close it.

    With `has_index`, an index may stand at its end and is read first; what can be read only once is held for that, if
    it is small enough.
    """
    if source.can_be_read_again:
        return SeekableSourceFile(source)
    if has_index and source.size_bytes is not None and source.size_bytes <= MAX_HELD_BYTES:
        with source.open() as reader:
            return io.BytesIO(reader.read_fully(source.size_bytes))
    return FileInOrder(source)
