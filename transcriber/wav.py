"""Reads the header of a WAV file (RIFF, RF64, BW64), without trusting its length fields."""

import struct
from dataclasses import dataclass

from transcriber.errors import UnsupportedAudioError

# Chunks before the samples (LIST, bext, JUNK) are short; a header longer than this is none.
MAX_HEADER_BYTES = 1024 * 1024
MIN_HEADER_BYTES = 12

# Format tags of RFC 2361 that the APIs' decoders read: PCM, IEEE float, A-law, mu-law, and the extensible form of them.
CODECS = {0x0001: "PCM", 0x0003: "float", 0x0006: "A-law", 0x0007: "mu-law", 0xFFFE: "PCM"}

# From below telephony's to above any studio's; a header with another one would make any length short.
SAMPLE_RATES_HZ = range(1_000, 768_001)

# Recorders that write to a pipe cannot go back to fill in the length and leave one of these.
_UNKNOWN_LENGTHS = (0, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF - 36, 0xFFFFFFFF - 36)


@dataclass(frozen=True)
class WavLayout:
    """Where the samples are, and how fast they pass; `data_bytes` is None when the header does not tell."""

    codec: str
    channels: int
    sample_rate_hz: int
    bytes_per_second: int
    data_start: int
    data_bytes: int | None

    def missing_seconds(self, size_bytes: int) -> float:
        """How much longer the header says the samples are than they are in a file of `size_bytes`."""
        missing = (self.data_bytes or 0) - max(0, size_bytes - self.data_start)
        return max(0, missing) / self.bytes_per_second

    def duration_seconds(self, size_bytes: int | None) -> float | None:
        """The length of the samples in a file of `size_bytes`; None as long as nothing tells."""
        held = None if size_bytes is None else max(0, size_bytes - self.data_start)
        known = [count for count in (held, self.data_bytes) if count is not None]
        return min(known) / self.bytes_per_second if known else None


def is_wav(head: bytes) -> bool:
    """Whether `head`, at least 12 bytes, begins a WAV file."""
    return head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] == b"WAVE"


def read_layout(head: bytes) -> WavLayout | None:
    """The layout that `head` describes; None when it ends before the samples begin, so that more of it is needed.

    `UnsupportedAudioError` for a header that makes no sense or a codec that the APIs do not read.
    """
    position = MIN_HEADER_BYTES
    fields: tuple[int, ...] | None = None
    while position + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, position)
        start = position + 8
        if name == b"data":
            if fields is None:
                raise UnsupportedAudioError("This WAV file has samples before any word on their format: it is damaged.")
            return _layout(fields, start, None if length in _UNKNOWN_LENGTHS else length)
        if name == b"fmt ":
            if start + 16 > len(head):
                return None
            fields = struct.unpack_from("<HHIIHH", head, start)
        position = start + length + length % 2  # chunks are padded to an even length
    return None


def _layout(fields: tuple[int, ...], data_start: int, data_bytes: int | None) -> WavLayout:
    tag, channels, sample_rate_hz, bytes_per_second, _, bits = fields
    if tag not in CODECS:
        raise UnsupportedAudioError(f"This WAV file holds a codec (format tag {tag:#06x}) that cannot be read yet.")
    # The byte rate is computed where it can be, since some writers leave it wrong.
    bytes_per_second = sample_rate_hz * channels * bits // 8 or bytes_per_second
    if not bytes_per_second or not channels or sample_rate_hz not in SAMPLE_RATES_HZ:
        raise UnsupportedAudioError(
            "This WAV file has no channels, no bits, or no sample rate of sound: it is damaged."
        )
    return WavLayout(CODECS[tag], channels, sample_rate_hz, bytes_per_second, data_start, data_bytes)
