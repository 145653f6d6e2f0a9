"""Reads the header of a WAV file (RIFF, RIFX, RF64, BW64), without trusting its length fields, and writes one."""

import struct
from dataclasses import dataclass
from typing import Literal

from transcriber.audio.pcm import SAMPLE_BITS, SAMPLE_RATES_HZ
from transcriber.errors import UnsupportedAudioError

# Chunks before the samples (LIST, bext, JUNK) are short; a longer header is not one.
MAX_HEADER_BYTES = 1024 * 1024
MIN_HEADER_BYTES = 12
FORMAT_BYTES = 16
# The size of what `header` writes.
PLAIN_HEADER_BYTES = 44

# Format tags of RFC 2361; the extensible form holds the real one, in the first two bytes of its identifier.
PCM_TAG = 0x0001
FLOAT_TAG = 0x0003
EXTENSIBLE_TAG = 0xFFFE
EXTENSIBLE_TAG_OFFSET = 24
EXTENSIBLE_FORMAT_BYTES = 40
# FFmpeg's demuxers for samples without a header, by tag and bits.
_BIG_ENDIAN_DEMUXERS = {
    (PCM_TAG, 16): "s16be",
    (PCM_TAG, 24): "s24be",
    (PCM_TAG, 32): "s32be",
    (FLOAT_TAG, 32): "f32be",
    (FLOAT_TAG, 64): "f64be",
}
# What every list of formats means by WAV: 16 bits a sample, mono or stereo. Everything else is decoded first.
PLAIN_CHANNELS = (1, 2)
PLAIN_SAMPLE_RATES_HZ = range(8_000, 48_001)

# Recorders that write to a pipe cannot fill in the length afterwards. They leave 0, or the largest number that they
# know, of 31 or 32 bits, less a header or rounded to blocks: a number within this many bytes of those is no length.
_PLACEHOLDERS = (2**31, 2**32)
_PLACEHOLDER_BYTES = 1024 * 1024


@dataclass(frozen=True)
class WavLayout:
    """Where the samples are, and their rate; `data_bytes` is None when the header does not state it.

    `raw_demuxer` reads the samples of a big-endian file, which FFmpeg's demuxer for WAV takes for little-endian ones.
    """

    is_plain: bool
    channels: int
    sample_rate_hz: int
    bytes_per_second: int
    data_start: int
    data_bytes: int | None
    byte_order: Literal["little", "big"] = "little"
    raw_demuxer: str | None = None

    def is_right(self, size_bytes: int | None) -> bool:
        """Whether the header of a file of `size_bytes` is right, so that a decoder may rely on it."""
        return (
            self.data_bytes is not None and size_bytes is not None and self.data_start + self.data_bytes <= size_bytes
        )

    @property
    def is_padded(self) -> bool:
        """Whether a byte of padding follows the stated samples."""
        return self.data_bytes is not None and self.data_bytes % 2 == 1

    def missing_seconds(self, size_bytes: int) -> float:
        """The length that the header states and that a file of `size_bytes` does not have."""
        missing = (self.data_bytes or 0) - max(0, size_bytes - self.data_start)
        return max(0, missing) / self.bytes_per_second

    def duration_seconds(self, size_bytes: int | None) -> float | None:
        """The length of the samples in a file of `size_bytes`; None as long as nothing determines it."""
        held = None if size_bytes is None else max(0, size_bytes - self.data_start)
        known = [count for count in (held, self.data_bytes) if count is not None]
        return min(known) / self.bytes_per_second if known else None


def is_wav(head: bytes) -> bool:
    """Whether `head`, at least 12 bytes, begins a WAV file."""
    return head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and head[8:12] == b"WAVE"


def is_placeholder(length: int) -> bool:
    """Whether the length of a chunk was left there by a writer that could not fill it in."""
    return not length or any(abs(length - number) <= _PLACEHOLDER_BYTES for number in _PLACEHOLDERS)


def read_layout(head: bytes) -> WavLayout | None:
    """The layout in the header `head`; None when it ends before the samples begin, so that more of it is needed.

    `UnsupportedAudioError` for a contradictory header.
    """
    position = MIN_HEADER_BYTES
    order = ">" if head[:4] == b"RIFX" else "<"
    fields: tuple[int, ...] | None = None
    while position + 8 <= len(head):
        name, length = struct.unpack_from(f"{order}4sI", head, position)
        start = position + 8
        if name == b"data":
            if fields is None:
                raise UnsupportedAudioError("This WAV file has samples before their format: it is damaged.")
            return _layout(fields, start, None if is_placeholder(length) else length, form=head[:4])
        if name == b"fmt ":
            if start + min(length, EXTENSIBLE_FORMAT_BYTES) > len(head):
                return None
            if length < FORMAT_BYTES:
                raise UnsupportedAudioError("This WAV file's format is incomplete: it is damaged.")
            fields = struct.unpack_from(f"{order}HHIIHH", head, start)
            if fields[0] == EXTENSIBLE_TAG and length >= EXTENSIBLE_FORMAT_BYTES:
                (tag,) = struct.unpack_from(f"{order}H", head, start + EXTENSIBLE_TAG_OFFSET)
                fields = (tag, *fields[1:])
        position = start + length + length % 2  # chunks are padded to an even length
    return None


def _layout(fields: tuple[int, ...], data_start: int, data_bytes: int | None, *, form: bytes) -> WavLayout:
    tag, channels, sample_rate_hz, bytes_per_second, _, bits = fields
    # The byte rate of PCM is computed, since some writers state a wrong one; compressed samples have their own.
    if tag == PCM_TAG or not bytes_per_second:
        bytes_per_second = sample_rate_hz * channels * bits // 8
    if not bytes_per_second or not channels or sample_rate_hz not in SAMPLE_RATES_HZ:
        raise UnsupportedAudioError(
            "This WAV file has no channels, no bits, or an impossible sample rate: it is damaged."
        )
    is_plain = form == b"RIFF" and tag == PCM_TAG and bits == SAMPLE_BITS and channels in PLAIN_CHANNELS
    return WavLayout(
        is_plain=is_plain and sample_rate_hz in PLAIN_SAMPLE_RATES_HZ,
        channels=channels,
        sample_rate_hz=sample_rate_hz,
        bytes_per_second=bytes_per_second,
        data_start=data_start,
        data_bytes=data_bytes,
        byte_order="big" if form == b"RIFX" else "little",
        raw_demuxer=_BIG_ENDIAN_DEMUXERS.get((tag, bits)) if form == b"RIFX" else None,
    )


def header(layout: WavLayout) -> bytes:
    """The header of a plain WAV file with `layout`."""
    data_bytes = layout.data_bytes or 0
    frame_bytes = layout.channels * SAMPLE_BITS // 8
    form = struct.pack(
        "<4sIHHIIHH",
        *(b"fmt ", FORMAT_BYTES, PCM_TAG, layout.channels, layout.sample_rate_hz),
        *(layout.bytes_per_second, frame_bytes, SAMPLE_BITS),
    )
    data = struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data) + data_bytes, b"WAVE") + form + data
