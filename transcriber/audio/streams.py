"""Finds where frames or packets follow each other in bytes that begin within one, as dumps of broadcasts do.

Sync words are short and occur in any bytes: what counts is that each frame's length leads to the next one.
"""

import re
from collections.abc import Callable
from typing import Final

from transcriber.audio import mp3
from transcriber.audio.tags import ID3V1_BYTES, end_tag_bytes
from transcriber.sources.base import Source

# Frames that have to follow each other, where nothing else says that there are any.
FRAMES_IN_A_ROW: Final = 5
# Of MPEG audio, AAC (ADTS), AC-3, and AAC with its own length (LOAS); of packets, six in a row.
_SYNC_WORDS: Final = re.compile(rb"\xff[\xe2-\xff]|\x0b\x77|\x56[\xe0-\xff]")
_PACKETS: Final = re.compile(rb"G(?:.{187}G){5}|G(?:.{191}G){5}|G(?:.{203}G){5}", re.DOTALL)
# The longest packet, six times.
_PACKETS_BYTES: Final = 6 * 204

# The end of a tag with lyrics.
_LYRICS_END: Final = re.compile(rb"LYRICS200|LYRICSEND")

# Bits a second of AC-3, by the half of the code in a frame's header (ETSI TS 102 366, table F.2), in kbit/s.
_AC3_KILOBITS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_RATES_HZ: Final = (48_000, 44_100, 32_000)
_AC3_SAMPLES: Final = 1_536
# From this number on, the header is that of E-AC-3.
_EAC3_VERSION: Final = 11
_LAST_VERSION: Final = 16
_HEADER_BYTES: Final = 7
# The bits of an ADTS header that all frames of a stream share: sync, version, layer, profile, rate, channels.
_ADTS_KIND: Final = bytes((0xFF, 0xFF, 0xFD, 0xC0))


def stream_start(data: bytes, *, is_whole: bool = False) -> int | None:
    """Where frames or packets of one kind begin in `data`, and follow each other; None where none do.

    With `is_whole`, nothing follows `data`, and fewer frames that reach its end are enough.
    """
    packets = _PACKETS.search(data)
    last = len(data) if packets is None else packets.start()
    misleading: set[int] = set()
    for found in _SYNC_WORDS.finditer(data, 0, last):
        start = found.start()
        if start not in misleading and _follow_each_other(data, start, misleading, is_whole=is_whole):
            return start
    return None if packets is None else packets.start()


def is_eac3(head: bytes) -> bool:
    """Whether the frame of AC-3 that `head` begins with is of the enhanced kind."""
    return len(head) >= _HEADER_BYTES and _EAC3_VERSION <= head[5] >> 3 <= _LAST_VERSION


def _follow_each_other(data: bytes, start: int, misleading: set[int], *, is_whole: bool) -> bool:
    """Whether frames follow each other from `start` on; if not, the positions of those there are `misleading`."""
    read = _mpeg if data[start] == 0xFF and data[start + 1] & 6 else _KINDS[data[start]]  # noqa: PLR2004 # sync word
    position, kind, count = start, b"", 0
    while count < FRAMES_IN_A_ROW:
        if position + _HEADER_BYTES > len(data):
            return is_whole and count > 1 and position == len(data)
        header = data[position : position + _HEADER_BYTES]
        size, own_kind = read(header)
        if not size or (count and own_kind != kind):
            return False
        misleading.add(position)
        kind, position, count = own_kind, position + size, count + 1
    return True


def _mpeg(header: bytes) -> tuple[int, bytes]:
    frame = mp3.read_frame(header, 0)
    return (0, b"") if frame is None else (frame.size_bytes, bytes((frame.layer, frame.sample_rate_hz >> 8)))


def _adts(header: bytes) -> tuple[int, bytes]:
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0:  # noqa: PLR2004 # sync word and layer
        return 0, b""
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > _HEADER_BYTES else 0, bytes(a & b for a, b in zip(header, _ADTS_KIND, strict=False))


def _ac3(header: bytes) -> tuple[int, bytes]:
    if not header.startswith(b"\x0b\x77"):
        return 0, b""
    if is_eac3(header):
        return 2 * ((header[2] & 7) << 8 | header[3]) + 2, bytes((header[4] >> 6,))
    rate, half = header[4] >> 6, header[4] & 0x3F
    if rate >= len(_AC3_RATES_HZ) or half >> 1 >= len(_AC3_KILOBITS) or header[5] >> 3 >= _EAC3_VERSION:
        return 0, b""
    words = _AC3_KILOBITS[half >> 1] * 1000 * _AC3_SAMPLES // (16 * _AC3_RATES_HZ[rate])
    return 2 * (words + (rate == 1 and half & 1)), bytes((rate,))


def _loas(header: bytes) -> tuple[int, bytes]:
    if header[0] != 0x56 or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004 # sync word
        return 0, b""
    return ((header[1] & 0x1F) << 8 | header[2]) + 3, b""


# By the first byte of a sync word; that of MPEG audio and ADTS is the same.
_KINDS: Final[dict[int, Callable[[bytes], tuple[int, bytes]]]] = {0xFF: _adts, 0x0B: _ac3, 0x56: _loas}


def ends_alike(source: Source, layout: mp3.Mp3Layout) -> bool:
    """Whether an MP3 stream ends as it begins, as far as its last bytes say.

    Another file may have been joined to it, or a tag may stand there that not every decoder takes for one.
    """
    size_bytes = source.size_bytes
    if size_bytes is None or not source.can_be_read_again:
        return True
    if layout.stated_bytes is not None and size_bytes - layout.frames_start - layout.stated_bytes <= ID3V1_BYTES:
        return True
    with source.open(max(layout.frames_start, size_bytes - mp3.EXAMINED_BYTES)) as reader:
        tail = reader.read_fully(mp3.EXAMINED_BYTES)
    start = stream_start(tail)
    last = None if start is None else mp3.read_frame(tail, start)
    is_alike = last is None or (last.sample_rate_hz, last.channels) == (layout.sample_rate_hz, layout.channels)
    return is_alike and end_tag_bytes(tail) <= ID3V1_BYTES and _LYRICS_END.search(tail) is None
