"""Reads the first frames of an MP3 stream: whether it is one, and its length.

The header's fields and tables are those of ISO/IEC 11172-3 and 13818-3; MPEG 2.5 is Fraunhofer's extension. The length
is in a Xing or Info frame (LAME's form) or a VBRI frame (Fraunhofer's), or follows from a constant bit rate.
"""

import struct
from dataclasses import dataclass

# An ID3v2 tag may hold a picture of about a megabyte; it is read into memory to find the frames after it.
MAX_TAG_BYTES = 4 * 1024 * 1024
ID3_HEADER_BYTES = 10
HEADER_BYTES = 4
LAYER_III = 3
# The bytes after the tag that are examined: 16 KiB are at least 11 frames of the longest kind.
EXAMINED_BYTES = 16 * 1024
# A stream with this share of the bytes that it states is complete: some writers count tags at its end.
WHOLE_SHARE = 0.99
# Tags at the end, without a picture; more may be another recording.
MAX_AFTER_BYTES = 4 * 1024
# Bytes before the first frame that are tolerated: recordings of broadcasts begin within a frame.
MAX_GARBAGE_BYTES = 4 * 1024
# Consecutive frames that must match each other, since eleven set bits alone occur everywhere.
FRAMES_IN_A_ROW = 3

# The largest slot, of layer I; frames of a constant rate differ by one at most.
SLOT_BYTES = 4

_BIT_RATES = {  # kbit/s by (MPEG version 1?, layer)
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MONO = 3


@dataclass(frozen=True)
class Frame:
    """One frame's header."""

    mpeg1: bool
    layer: int
    channels: int
    sample_rate_hz: int
    samples: int
    size_bytes: int


@dataclass(frozen=True)
class Mp3Layout:
    """Where the frames begin, and their length: `stated_seconds` as the first frame states it, or by their rate.

    With neither a statement nor a constant rate, the length is known only when all frames have been counted.
    """

    layer: int
    channels: int
    sample_rate_hz: int
    frame_samples: int
    bytes_per_second: float
    has_constant_rate: bool
    frames_start: int
    stated_seconds: float | None
    stated_bytes: int | None

    @property
    def frame_seconds(self) -> float:
        """The length of each frame."""
        return self.frame_samples / self.sample_rate_hz

    @property
    def is_plain(self) -> bool:
        """Whether it is MP3 in the usual sense: layer III."""
        return self.layer == LAYER_III

    def is_right(self, size_bytes: int) -> bool:
        """Whether a file of `size_bytes` has little more than the stated bytes, so that no second file follows."""
        if not self.stated_seconds:
            return True
        stated_bytes = self.stated_bytes or self.stated_seconds * self.bytes_per_second
        return size_bytes - self.frames_start - stated_bytes <= MAX_AFTER_BYTES

    def missing_seconds(self, size_bytes: int) -> float:
        """The length that the first frame states and that a file of `size_bytes` does not have."""
        if not self.stated_seconds or not self.stated_bytes:
            return 0.0
        held = max(0, size_bytes - self.frames_start) / self.stated_bytes
        return self.stated_seconds * (1 - held) if held < WHOLE_SHARE else 0.0

    def duration_seconds(self, size_bytes: int | None) -> float | None:
        """The length of a file of `size_bytes`; None as long as nothing determines it."""
        if self.stated_seconds is not None:
            return self.stated_seconds - (0.0 if size_bytes is None else self.missing_seconds(size_bytes))
        if size_bytes is None or not self.has_constant_rate:
            return None
        return max(0, size_bytes - self.frames_start) / self.bytes_per_second


def tag_bytes(head: bytes) -> int:
    """The length of the ID3v2 tag at the beginning of `head`; 0 without one."""
    if len(head) < ID3_HEADER_BYTES or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:  # four times seven bits, so that no tag looks like a frame
        size = size << 7 | byte & 0x7F
    footer = ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return ID3_HEADER_BYTES + size + footer


def read_frame(data: bytes | bytearray, position: int) -> Frame | None:
    """The frame whose header is at `position`; None where there is none, or one of free format."""
    if position + 4 > len(data):
        return None
    (word,) = struct.unpack_from(">I", data, position)
    version, layer = word >> 19 & 3, 4 - (word >> 17 & 3)
    bit_rate, sample_rate, padding = word >> 12 & 15, word >> 10 & 3, word >> 9 & 1
    if word >> 21 != 0x7FF or version == 1 or layer == 4 or bit_rate in {0, 15} or sample_rate == 3:  # noqa: PLR2004 # bits
        return None
    mpeg1 = version == 3  # noqa: PLR2004 # bits
    rate_hz = _SAMPLE_RATES_HZ[version][sample_rate]
    samples = 384 if layer == 1 else 576 if layer == 3 and not mpeg1 else 1152  # noqa: PLR2004 # the layer's number
    slot_bytes = 4 if layer == 1 else 1
    bits_per_second = _BIT_RATES[mpeg1, layer][bit_rate - 1] * 1000
    size_bytes = (samples * bits_per_second // (8 * slot_bytes * rate_hz) + padding) * slot_bytes
    channels = 1 if word >> 6 & 3 == _MONO else 2
    return Frame(mpeg1, layer, channels, rate_hz, samples, size_bytes)


def read_layout(data: bytes, *, offset: int) -> Mp3Layout | None:
    """The layout of a stream whose bytes from `offset` on begin with `data`; None where these are not frames."""
    misleading: set[int] = set()
    for start in range(min(MAX_GARBAGE_BYTES, len(data))):
        if data[start] != 0xFF or start in misleading:  # noqa: PLR2004 # the first eight bits of a header
            continue
        if frames := _frames(data, start, misleading):
            return _layout(data, start, frames, offset)
    return None


def _frames(data: bytes, position: int, misleading: set[int]) -> list[Frame]:
    """All whole frames from `position` on, if they match each other; a short stream may have fewer than required.

    If they do not, their positions are added to `misleading`, since no chain that begins at one of them is better.
    """
    frames: list[Frame] = []
    while (frame := read_frame(data, position)) is not None:
        if frames and (frame.layer, frame.sample_rate_hz) != (frames[0].layer, frames[0].sample_rate_hz):
            return []
        misleading.add(position)
        frames.append(frame)
        position += frame.size_bytes
    at_end = position == len(data) or data[position : position + 3] == b"TAG"
    return frames if len(frames) >= FRAMES_IN_A_ROW or (frames and at_end) else []


def _layout(data: bytes, start: int, frames: list[Frame], offset: int) -> Mp3Layout:
    first = frames[0]
    stated_frames, stated_bytes = _stated(data, start, first)
    counted = frames[1:] or frames  # the first may be a Xing frame, whose size differs from the others
    seconds = sum(frame.samples for frame in counted) / first.sample_rate_hz
    # Padding makes sizes of one rate differ by a slot.
    sizes = [frame.size_bytes for frame in counted]
    return Mp3Layout(
        layer=first.layer,
        channels=first.channels,
        sample_rate_hz=first.sample_rate_hz,
        frame_samples=first.samples,
        bytes_per_second=sum(sizes) / seconds,
        has_constant_rate=max(sizes) - min(sizes) <= SLOT_BYTES,
        frames_start=offset + start,
        stated_seconds=stated_frames * first.samples / first.sample_rate_hz if stated_frames else None,
        stated_bytes=stated_bytes,
    )


def states_length(data: bytes | bytearray, start: int, first: Frame) -> bool:
    """Whether the frame at `start` holds no sound but the stream's length, in any of the three forms."""
    xing = start + 4 + side_bytes(first)
    return data[xing : xing + 4] in (b"Xing", b"Info") or data[start + 36 : start + 40] == b"VBRI"


def side_bytes(frame: Frame) -> int:
    """The length of a frame's side information, between its header and its sound."""
    if frame.mpeg1:
        return 32 if frame.channels == 2 else 17  # noqa: PLR2004 # stereo
    return 17 if frame.channels == 2 else 9  # noqa: PLR2004 # stereo


def _stated(data: bytes, start: int, first: Frame) -> tuple[int | None, int | None]:
    """The numbers of frames and bytes that the first frame states."""
    xing = start + 4 + side_bytes(first)
    if data[xing : xing + 4] in {b"Xing", b"Info"} and len(data) >= xing + 16:
        flags, *fields = struct.unpack_from(">III", data, xing + 4)
        frames = fields.pop(0) if flags & 1 else None
        return frames, fields.pop(0) if flags & 2 else None
    vbri = start + 36
    if data[vbri : vbri + 4] == b"VBRI" and len(data) >= vbri + 18:
        size_bytes, frames = struct.unpack_from(">II", data, vbri + 10)
        return frames, size_bytes
    return None, None
