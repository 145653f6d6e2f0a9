"""Reads a source as a file, for libraries that read nothing but files."""

import io

from transcriber.sources.base import Reader, Source

# Reading this much and dropping it is faster than a new request from another position.
SKIPPED_BYTES = 1024 * 1024
# An hour of M4A, in a function of 256 MB.
MAX_HELD_BYTES = 32 * 1024 * 1024


class SeekableSourceFile(io.RawIOBase):
    """A source as a file; it is read again from another position where skipping would take longer.

    A source that can be read only once is not seekable: decoders then do not try.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reader: Reader | None = None
        self._reader_at = 0
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Whether the source can be read again."""
        return self._source.can_be_read_again

    def read(self, size: int = -1) -> bytes:
        """The next bytes, up to `size`; none at the end."""
        if size < 0:
            raise io.UnsupportedOperation("only pieces are read")
        if not size:
            return b""  # no sign of the end
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
        """Set the position of the next read; `UnsupportedOperation` from the end of a source of unknown size."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            if self._source.size_bytes is None:
                raise io.UnsupportedOperation("the size is not known")
            offset += self._source.size_bytes
        self._position = max(0, offset)
        return self._position

    def tell(self) -> int:
        """The position of the next byte."""
        return self._position

    def close(self) -> None:
        """End the reading."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        super().close()


def open_as_file(source: Source, *, has_index: bool) -> io.RawIOBase | io.BytesIO:
    """The source as a file; close it.

    With `has_index`, an index may stand at its end and is read first; a source that can be read only once is held in
    memory for that, if it is small enough.
    """
    if has_index and not source.can_be_read_again and (source.size_bytes or MAX_HELD_BYTES + 1) <= MAX_HELD_BYTES:
        with source.open() as reader:
            return io.BytesIO(reader.read_fully(source.size_bytes or 0))
    return SeekableSourceFile(source)
