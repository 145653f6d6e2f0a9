"""Finds the end of a WAV file's samples, which its header may state too early: by what follows the stated end."""

import io
import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from transcriber.audio.containers import SIGNATURE_BYTES
from transcriber.audio.first_file import FirstFile
from transcriber.audio.joined import begins_file
from transcriber.audio.wav import MAX_HEADER_BYTES, WavLayout, read_layout
from transcriber.errors import UnsupportedAudioError
from transcriber.sources.base import SKIP_BYTES, Source

# The bytes after the samples that decide on what follows.
LOOK_BYTES: Final = 16
_CHUNK_HEADER_BYTES: Final = 8
# The names of chunks, known ones and a recorder's own. Four samples hardly ever look like one, and the four after them
# like a length that fits.
_NAME: Final = re.compile(rb"[A-Za-z0-9_+~-][A-Za-z0-9_ +~-]{3}")
# A chunk after the samples, such as a cover picture, is shorter, where the size of the file does not tell.
LONGEST_CHUNK_BYTES: Final = 64 * 1024 * 1024
# A rest that is shorter holds no word.
SHORTEST_REST_SECONDS: Final = 0.1


class Following(Enum):
    """What follows the samples that a header states."""

    NOTHING = auto()
    SAMPLES = auto()
    FILE = auto()  # another file, which was joined to this one


def following(
    read: Callable[[int], bytes], skip: Callable[[int], None], left_bytes: int | None, layout: WavLayout
) -> tuple[Following, bytes, int]:
    """What follows, the bytes of it that were read last, and their position after the stated end.

    `read` and `skip` continue at the end that `layout` states; `left_bytes` is the size of all that follows, if it is
    known. Where a byte of padding is due, a chunk or a file begins a byte later, samples do not.
    """
    position, padding = 0, int(layout.is_padded)
    while True:
        head = read(LOOK_BYTES)
        look = head[padding:]
        if len(head) < LOOK_BYTES:
            return Following.NOTHING, head, position
        if begins_file(look):
            return Following.FILE, look, position + padding
        size = _chunk_bytes(look, None if left_bytes is None else left_bytes - position - padding, layout)
        if size is None:
            return (Following.NOTHING if position else Following.SAMPLES), head, position
        if size + padding < LOOK_BYTES:
            return Following.NOTHING, head, position
        skip(size + padding - LOOK_BYTES)
        position, padding = position + size + padding, 0


def _chunk_bytes(head: bytes, left_bytes: int | None, layout: WavLayout) -> int | None:
    """The size of the chunk that `head` begins; None where it begins none."""
    length = int.from_bytes(head[4:8], layout.byte_order)
    size = _CHUNK_HEADER_BYTES + length + length % 2
    # The byte of padding at the end of a file is often left out.
    longest = LONGEST_CHUNK_BYTES if left_bytes is None else left_bytes + 1
    return size if _NAME.match(head) and size <= longest else None


def following_in(source: Source, layout: WavLayout) -> Following:
    """What follows the stated samples in a source of known size that can be read again."""
    if source.size_bytes is None or layout.data_bytes is None or not source.can_be_read_again:
        return Following.NOTHING
    end = layout.data_start + layout.data_bytes
    left_bytes = source.size_bytes - end
    if left_bytes <= SHORTEST_REST_SECONDS * layout.bytes_per_second:
        return Following.NOTHING
    with source.open(end) as reader:
        return following(reader.read_fully, reader.skip, left_bytes, layout)[0]


def read_header(source: Source) -> WavLayout:
    """The layout in the header of a WAV file; `UnsupportedAudioError` where it is contradictory, or ends."""
    examined = SIGNATURE_BYTES
    while True:
        head = source.peek(examined)
        layout = read_layout(head)
        if layout is not None:
            return layout
        if len(head) < examined or examined >= MAX_HEADER_BYTES:
            raise UnsupportedAudioError("The WAV file has no samples: it ends within its header.")
        examined *= 4


class WavFile(FirstFile):
    """A WAV file for a decoder that reads on to the end of the file: it ends where the samples do."""

    def __init__(self, file: io.RawIOBase | io.BytesIO, layout: WavLayout, size_bytes: int | None) -> None:
        super().__init__(file, "wav")
        self._size_bytes = size_bytes
        self._layout = layout
        self._stated_end = None if layout.data_bytes is None else layout.data_start + layout.data_bytes
        self._stop: int | None = None
        self._looked_at = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, up to `size`; none at the end of the samples."""
        if self._looked_at:
            block, self._looked_at = self._looked_at[:size], self._looked_at[size:]
            return block
        position = self._file.tell()
        if self._stop is not None:
            return self._read_block(min(size, self._stop - position)) if position < self._stop else b""
        if self._stated_end is None or position > self._stated_end:
            return self._read_block(size)
        if position < self._stated_end:
            return self._read_block(min(size, self._stated_end - position))
        self._look_at_end(position)
        return self.read(size)

    def _look_at_end(self, end: int) -> None:
        """Find out what follows the stated end, whose first bytes are read next if they are samples."""
        left_bytes = None if self._size_bytes is None else self._size_bytes - end
        found, head, position = following(self._read_fully, self._skip, left_bytes, self._layout)
        self._stated_end = None
        if found is Following.SAMPLES:
            self._looked_at = head
            return
        self._stop = end
        self.end = end + position if found is Following.FILE else None

    def _read_fully(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (block := self._read_block(size - len(data))):
            data += block
        return data

    def _skip(self, size: int) -> None:
        while size > 0 and (block := self._read_block(min(size, SKIP_BYTES))):
            size -= len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position of the next read."""
        if self._looked_at:
            self._file.seek(self.tell())
            self._looked_at = b""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position of the next byte."""
        return self._file.tell() - len(self._looked_at)
