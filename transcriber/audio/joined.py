"""Files that were joined, byte after byte: where the next one begins."""

import re
from typing import Final

from transcriber.audio.tags import END_BYTES, end_tag_bytes
from transcriber.sources.base import Reader

# The first bytes of a file, as they hardly ever occur within one: each with fields that have only a few values.
_BEGINNINGS: Final = re.compile(
    rb"OggS\x00[\x02\x06]|fLaC[\x00\x80]\x00\x00\x22|FORM....AIF[FC]|(?:RIFF|RF64|BW64|RIFX)....WAVE|FLV\x01[\x01\x04\x05]\x00\x00\x00\x09"
    rb"|\x00\x00\x00[\x08-\xff]ftyp|\x1aE\xdf\xa3[\x01\x80-\xbf]|caff\x00\x01\x00\x00|#!AMR|wvpk|0&\xb2u\x8ef\xcf\x11",
    re.DOTALL,
)
_LONGEST_BEGINNING: Final = 12
# After the sound of a file may come its index, titles and pictures, and then another file; more than this is no index.
MAX_BETWEEN_BYTES: Final = 16 * 1024 * 1024
READ_BYTES: Final = 64 * 1024


def begins_file(head: bytes) -> bool:
    """Whether `head`, at least 12 bytes, begins a file."""
    return _BEGINNINGS.match(head) is not None


class FileSearch:
    """A search for another file in what `reader` reads.

    `found` is where it begins and the bytes read from there on, None where none begins; `read_bytes` were read, of
    which the last ones are in `tail`.
    """

    def __init__(self, reader: Reader) -> None:
        self.found: tuple[int, bytes] | None = None
        self.read_bytes = 0
        self.tail = b""
        while self.read_bytes < MAX_BETWEEN_BYTES and (block := reader.read_fully(READ_BYTES)):
            kept = self.tail[-_LONGEST_BEGINNING:]
            data = kept + block
            self.tail = (self.tail + block)[-END_BYTES:]
            if found := _BEGINNINGS.search(data):
                self.found = self.read_bytes - len(kept) + found.start(), data[found.start() :]
                return
            self.read_bytes += len(block)

    @property
    def unknown_bytes(self) -> int:
        """The bytes that are neither of another file nor of a tag at the end."""
        return 0 if self.found is not None else max(0, self.read_bytes - end_tag_bytes(self.tail))
