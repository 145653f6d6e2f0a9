"""Ends a file where another one begins that was joined to it, for demuxers that would read on with the wrong codec."""

import io
import re
from collections import deque
from typing import Final

from transcriber.audio.mp4_claims import SampleClaims
from transcriber.audio.stated_length import INDEXED_DEMUXERS
from transcriber.sources.base import Reader, ResumedReader

# A literal that is found fast, where it lies in the pattern, and the pattern that leaves no doubt.
_BEGINNINGS: Final[dict[str, tuple[bytes, int, re.Pattern[bytes]]]] = {
    "flac": (b"fLaC", 0, re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")),
    "mov": (b"ftyp", 4, re.compile(rb"\x00\x00\x00[\x08-\xff]ftyp[\x20-\x7e]{4}")),
    "matroska": (b"\x1aE\xdf\xa3", 0, re.compile(rb"\x1aE\xdf\xa3.{1,8}\x42[\x82\x85\x86\x87\xf2\xf3\xf7]", re.DOTALL)),
    # Pages that begin a stream; those of further streams of the same file come within its first bytes.
    "ogg": (b"OggS\x00\x02", 0, re.compile(rb"OggS\x00\x02")),
    "amr": (b"#!AMR", 0, re.compile(rb"#!AMR(?:-WB)?\n")),
    "avi": (b"AVI LIST", 8, re.compile(rb"RIFF.{4}AVI LIST", re.DOTALL)),
    "flv": (b"FLV\x01", 0, re.compile(rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09")),
    "aiff": (b"FORM", 0, re.compile(rb"FORM.{4}AIF[FC]", re.DOTALL)),
    "caf": (b"caff\x00\x01", 0, re.compile(rb"caff\x00\x01\x00\x00desc")),
    "au": (b".snd", 0, re.compile(rb"\.snd\x00\x00.{2}", re.DOTALL)),
}
_LONGEST_BEGINNING: Final = 16
# A file is longer than its own beginning.
_SHORTEST_FILE: Final = 512


# What was read last is kept, so that a source that can be read once goes on where a demuxer stopped: these read ahead.
_KEPT_BLOCKS: Final = 2


class FirstFile(io.RawIOBase):
    """The first of the files in `file`, for `demuxer`; `end` is where the next one begins, once that is read.

    What its index claims is checked against `size_bytes`, None if it is not known.
    """

    def __init__(self, file: io.RawIOBase | io.BytesIO, demuxer: str, *, size_bytes: int | None = None) -> None:
        self._file = file
        self._claims = SampleClaims(size_bytes) if demuxer in INDEXED_DEMUXERS else None
        self._beginning = _BEGINNINGS.get(demuxer)
        self._has_failed = False
        self._tail = b""
        self._tail_end = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_BLOCKS)
        self.end: int | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Whether `file` is."""
        return self._file.seekable()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, up to `size`; none at the end of the first file."""
        position = self._file.tell()
        if self.end is not None:
            size = min(size, self.end - position)
        block = self._read_block(size) if size > 0 else b""
        if block and self._beginning is not None:
            # What was read before may have been further on, such as an index at the end.
            self._search(position, block)
        return block if self.end is None else block[: max(0, self.end - position)]

    def _read_block(self, size: int) -> bytes:
        if self._has_failed:
            return b""  # the library reads on after an error, and would print another one
        position = self._file.tell()
        try:
            block = self._file.read(size) or b""
            if self._claims is not None:
                self._claims.feed(position, block)
        except Exception:
            self._has_failed = True
            raise
        if block and not self._file.seekable():
            self._kept.append((position, block))
        return block

    def _search(self, position: int, block: bytes) -> None:
        """Look for the beginning of another file in `block`, which is at `position`, and just before it."""
        if self._beginning is None:
            return
        literal, offset, pattern = self._beginning
        kept = self._tail if self._tail_end == position else b""
        data, start = (kept + block, position - len(kept)) if kept else (block, position)
        found = data.find(literal)
        while found >= 0:
            at = found - offset
            if at >= 0 and start + at >= _SHORTEST_FILE and pattern.match(data, at):
                self.end = start + at
                return
            found = data.find(literal, found + 1)
        self._tail, self._tail_end = data[-_LONGEST_BEGINNING:], position + len(block)

    def detach_from(self, position: int) -> tuple[int, Reader]:
        """What follows `position` in a file that is not seekable, and where that begins; this file is at its end then.

        It begins later where `position` is too far back.
        """
        kept = [(start, block) for start, block in self._kept if start + len(block) > position]
        begin = max(position, kept[0][0]) if kept else self._file.tell()
        head = b"".join(block for _, block in kept)
        head = head[begin - kept[0][0] :] if kept else b""
        reader = ResumedReader(head, _FileReader(self._file))
        self._file = io.BytesIO()
        return begin, reader

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position of the next read."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position of the next byte."""
        return self._file.tell()

    def close(self) -> None:
        """End the reading."""
        self._file.close()
        super().close()


class _FileReader(Reader):
    def __init__(self, file: io.RawIOBase | io.BytesIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return self._file.read(size) or b""

    def close(self) -> None:
        self._file.close()
