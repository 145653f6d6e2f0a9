"""Finds where the audio begins in a source: behind tags, padding, and bytes that belong to nothing.

Programs write tags before any container, one before the other; downloads and dumps of broadcasts begin anywhere. What
follows is what the rest of the function sees.
"""

import re
from typing import Final

from transcriber.audio import mp3
from transcriber.audio.containers import SIGNATURE_BYTES, UNKNOWN, sniff
from transcriber.audio.streams import stream_start
from transcriber.audio.tags import APE_MARK_BYTES, tag_bytes
from transcriber.sources.base import Source
from transcriber.sources.part import SourceFrom

# Programs write a tag again without removing the one before; more of them than this are no accident of that kind.
MAX_TAGS: Final = 100
# A longer tag, where the size of the file is not known, has a wrong length.
LONGEST_TAG_BYTES: Final = 64 * 1024 * 1024
# Padding and garbage up to here is looked through for audio. A second of a broadcast has 2 MB at most, and its packets
# are far shorter; the players that people try before they complain look through as much.
MAX_GARBAGE_BYTES: Final = 256 * 1024
# Of packs of a program stream, there are many.
_PACK: Final = b"\x00\x00\x01\xba"
FEWEST_PACKS: Final = 3
# The first bytes of files whose signature hardly ever occurs by accident.
_FILES: Final = re.compile(
    rb"OggS\x00\x02.{8}|fLaC[\x00\x80]\x00\x00\x22|FORM....AIF[FC]|(?:RIFF|RF64|BW64|RIFX)....WAVE|RIFF....AVI LIST"
    rb"|FLV\x01[\x01\x04\x05]\x00\x00\x00\x09|\x00\x00\x00[\x08-\xff]ftyp[\x20-\x7e]{4}|#!AMR(?:-WB)?\n|riff\x2e\x91\xcf\x11"
    rb"|\x1aE\xdf\xa3.{1,8}\x42[\x82\x85\x86\x87\xf2\xf3\xf7]|caff\x00\x01\x00\x00|\.snd\x00\x00..|wvpk..\x00\x00"
    rb"|0&\xb2u\x8ef\xcf\x11",
    re.DOTALL,
)


def from_beginning(source: Source, *, tags: int = 0) -> Source:
    """`source` from where its audio begins on; itself where that is its first byte, or where none is found.

    An MP3 stream keeps a single tag, with which every decoder plays it. `tags` were passed over before.
    """
    position = _after_tags(source)
    if position > mp3.MAX_TAG_BYTES and tags < MAX_TAGS:
        # It is passed over rather than held; more may follow.
        return from_beginning(SourceFrom(source, position), tags=tags + 1)
    if sniff(source.peek(position + SIGNATURE_BYTES)[position:]) is not UNKNOWN:
        return SourceFrom(source, position) if position else source
    examined = source.peek(position + mp3.EXAMINED_BYTES)[position:]
    if _first_pack(examined) is None and mp3.read_layout(examined, offset=position) is not None:
        if position == mp3.tag_bytes(source.peek(SIGNATURE_BYTES)):
            return source
    else:
        position += _garbage_bytes(source.peek(position + MAX_GARBAGE_BYTES)[position:])
    return SourceFrom(source, position) if position else source


def _garbage_bytes(data: bytes) -> int:
    """The number of bytes in `data` before audio begins; 0 where none is found."""
    pack = _first_pack(data)
    if pack is not None:
        return pack
    found = _FILES.search(data)
    file_start = None if found is None else found.start()
    stream = stream_start(data[:file_start], is_whole=len(data) < MAX_GARBAGE_BYTES)
    return (file_start or 0) if stream is None else stream


def _first_pack(data: bytes) -> int | None:
    """Where the packs of a program stream begin: within each, frames follow each other, too."""
    return data.find(_PACK) if data.count(_PACK) >= FEWEST_PACKS else None


def _after_tags(source: Source) -> int:
    """The position after the tags at the beginning: all of them, or up to one that is too long to be held."""
    position = 0
    for count in range(MAX_TAGS):
        size = tag_bytes(source.peek(position + APE_MARK_BYTES)[position:])
        padding = 0
        if not size and count:
            # Of a tag that is longer than it says.
            padding = _zeros(source.peek(position + MAX_GARBAGE_BYTES)[position:])
            size = tag_bytes(source.peek(position + padding + APE_MARK_BYTES)[position + padding :])
        if not size:
            break
        end = position + padding + size
        longest = source.size_bytes if source.size_bytes is not None else position + LONGEST_TAG_BYTES
        if end > longest:
            return position + padding + mp3.ID3_HEADER_BYTES  # its length is wrong, and audio may follow anywhere
        position = end
        if position > mp3.MAX_TAG_BYTES:
            break
    return position


def _zeros(data: bytes) -> int:
    return len(data) - len(data.lstrip(b"\x00"))
