"""Finds where the audio begins in a source: behind tags, padding, and bytes that belong to nothing.

Programs write tags before any container, one before the other; downloads and dumps of broadcasts begin anywhere. What
follows is what the rest of the function sees.
"""

import re
from typing import Final

from transcriber.audio import mp3
from transcriber.audio.containers import SIGNATURE_BYTES, UNKNOWN, sniff
from transcriber.audio.streams import stream_start
from transcriber.errors import UnsupportedAudioError
from transcriber.sources.base import Source
from transcriber.sources.part import SourceFrom

# A header of an APE tag: its name, version, size without this header, number of items, and flags.
_APE_HEADER_BYTES: Final = 32
_APE_NAME: Final = b"APETAGEX"
# Programs write a tag again without removing the one before; more of them than this are no accident of that kind.
MAX_TAGS: Final = 100
# Padding and garbage up to here is looked through for audio. A second of a broadcast has 2 MB at most, and its packets
# are far shorter; the players that people try before they complain look through as much.
MAX_GARBAGE_BYTES: Final = 256 * 1024
# The first bytes of files whose signature hardly ever occurs by accident.
_FILES: Final = re.compile(
    rb"OggS\x00\x02.{8}|fLaC[\x00\x80]\x00\x00\x22|FORM....AIF[FC]|(?:RIFF|RF64|BW64|RIFX)....WAVE|RIFF....AVI LIST"
    rb"|FLV\x01[\x01\x04\x05]\x00\x00\x00\x09|\x00\x00\x00[\x08-\xff]ftyp[\x20-\x7e]{4}|#!AMR(?:-WB)?\n|riff\x2e\x91\xcf\x11"
    rb"|\x1aE\xdf\xa3.{1,8}\x42[\x82\x85\x86\x87\xf2\xf3\xf7]|caff\x00\x01\x00\x00|\.snd\x00\x00..|wvpk..\x00\x00"
    rb"|0&\xb2u\x8ef\xcf\x11|\x00\x00\x01\xba[\x21\x44-\x7f].{8}",
    re.DOTALL,
)


def from_beginning(source: Source) -> Source:
    """`source` from where its audio begins on; itself where that is its first byte, or where none is found.

    An MP3 stream keeps a single tag, with which every decoder plays it.
    """
    start = _after_tags(source)
    if sniff(_peek(source, start, SIGNATURE_BYTES)) is UNKNOWN:
        has_frames = mp3.read_layout(_peek(source, start, mp3.EXAMINED_BYTES), offset=start) is not None
        if has_frames and start <= mp3.MAX_TAG_BYTES and start == mp3.tag_bytes(source.peek(SIGNATURE_BYTES)):
            return source
        start += 0 if has_frames else _garbage_bytes(_peek(source, start, MAX_GARBAGE_BYTES))
    return SourceFrom(source, start) if start else source


def _garbage_bytes(data: bytes) -> int:
    """The number of bytes in `data` before audio begins; 0 where none is found."""
    found = _FILES.search(data)
    stream = stream_start(data[: None if found is None else found.start()], is_whole=len(data) < MAX_GARBAGE_BYTES)
    if stream is not None:
        return stream
    return 0 if found is None else found.start()


def _after_tags(source: Source) -> int:
    """The position after all tags at the beginning."""
    position = 0
    for count in range(MAX_TAGS):
        size = _tag_bytes(_peek(source, position, _APE_HEADER_BYTES))
        padding = 0
        if not size and count:
            # Of a tag that is longer than it says.
            padding = _zeros(_peek(source, position, MAX_GARBAGE_BYTES))
            size = _tag_bytes(_peek(source, position + padding, _APE_HEADER_BYTES))
        if not size:
            break
        end = position + padding + size
        if not _peek(source, end - 1, 1):
            return position + padding + mp3.ID3_HEADER_BYTES  # its length is wrong, and audio may follow anywhere
        position = end
    return position


def _tag_bytes(head: bytes) -> int:
    """The length of the tag that `head` begins with; 0 without one."""
    if head.startswith(_APE_NAME) and len(head) >= _APE_HEADER_BYTES:
        return _APE_HEADER_BYTES + int.from_bytes(head[12:16], "little")
    return mp3.tag_bytes(head)


def _zeros(data: bytes) -> int:
    return len(data) - len(data.lstrip(b"\x00"))


def _peek(source: Source, position: int, size: int) -> bytes:
    """`size` bytes from `position` on; what is far from the beginning is not held, but read by itself."""
    head = source.peek(SIGNATURE_BYTES)
    if len(head) < SIGNATURE_BYTES:
        return head[position : position + size]
    if position + size <= mp3.MAX_TAG_BYTES:
        return source.peek(position + size)[position:]
    if source.size_bytes is not None and position >= source.size_bytes:
        return b""
    if not source.can_be_read_again:
        raise UnsupportedAudioError(
            f"The file begins with tags of {position / 2**20:.0f} MiB; {mp3.MAX_TAG_BYTES / 2**20:g} MiB are read "
            "from a server that does not say which version it sends. Remove the picture in them."
        )
    with source.open(position) as reader:
        return reader.read_fully(size)
