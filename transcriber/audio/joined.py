"""Files that were joined, byte after byte: where the next one begins, and a source from there on."""

import re
from typing import ClassVar, Final

from transcriber.sources.base import Reader, Source

# The first bytes of a file, as they hardly ever occur within one: each with fields that have only a few values.
_BEGINNINGS: Final = re.compile(
    rb"OggS\x00[\x02\x06]|fLaC[\x00\x80]\x00\x00\x22|FORM....AIF[FC]|RIFF....WAVE|FLV\x01[\x01\x04\x05]\x00\x00\x00\x09"
    rb"|\x00\x00\x00[\x08-\xff]ftyp|\x1aE\xdf\xa3[\x01\x80-\xbf]|caff\x00\x01\x00\x00|#!AMR|wvpk|0&\xb2u\x8ef\xcf\x11",
    re.DOTALL,
)
_LONGEST_BEGINNING: Final = 12
# After the sound of a file may come its index, titles and pictures, and then another file; more than this is no index.
MAX_BETWEEN_BYTES: Final = 16 * 1024 * 1024
READ_BYTES: Final = 64 * 1024


class SourceFrom(Source):
    """A source from the byte `start` on."""

    kind: ClassVar[str] = "part"

    def __init__(self, source: Source, start: int) -> None:
        super().__init__(max_bytes=source.max_bytes)
        self._source = source
        self._start = start
        self.size_bytes = None if source.size_bytes is None else max(0, source.size_bytes - start)

    @property
    def can_be_read_again(self) -> bool:
        """Whether the whole source can be read again."""
        return self._source.can_be_read_again

    def _connect(self, start: int) -> Reader:
        return self._source.open(self._start + start)


def next_file(source: Source, position: int) -> int | None:
    """Where another file begins in `source`, at `position` or after it; None where there is none."""
    if not source.can_be_read_again or (source.size_bytes is not None and position >= source.size_bytes):
        return None
    with source.open(position) as reader:
        kept, searched = b"", 0
        while searched < MAX_BETWEEN_BYTES and (block := reader.read_fully(READ_BYTES)):
            data = kept + block
            if found := _BEGINNINGS.search(data):
                return position + searched - len(kept) + found.start()
            searched += len(block)
            kept = data[-_LONGEST_BEGINNING:]
    return None
