"""Files that were joined, byte after byte: where the next one begins."""

import re
from typing import Final

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


def find_file(reader: Reader) -> tuple[int, bytes] | None:
    """Where another file begins in what `reader` reads, and the bytes read from there on; None where none does."""
    kept, searched = b"", 0
    while searched < MAX_BETWEEN_BYTES and (block := reader.read_fully(READ_BYTES)):
        data = kept + block
        if found := _BEGINNINGS.search(data):
            return searched - len(kept) + found.start(), data[found.start() :]
        searched += len(block)
        kept = data[-_LONGEST_BEGINNING:]
    return None
