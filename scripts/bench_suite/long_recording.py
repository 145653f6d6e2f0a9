"""Makes long recordings by repeating one minute of sound and pauses; MP3 and WAV take no memory for their length."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext

# Sound for some seconds, then a pause: to the search for pauses, this is like speech.
BLOCK_SECONDS: Final = 60
SOUND_SECONDS: Final = 3.3
PAUSE_SECONDS: Final = 0.7
LOUDNESS: Final = 3_000
SEED: Final = 1
# The rate of the MP3 whose hour is 57.6 MB, and one that is usual for speech in m4a.
MP3_BITS_PER_SECOND: Final = 128_000
M4A_BITS_PER_SECOND: Final = 64_000
RECORDER_RATE_HZ: Final = 44_100
SPEECH_RATE_HZ: Final = 16_000
MP3_FRAME_SAMPLES: Final = 1_152
AAC_FRAME_SAMPLES: Final = 1_024
WAV_HEADER_BYTES: Final = 44

Samples: TypeAlias = Any  # numpy is imported where it is used, and not by the process whose memory is measured


class Kind(StrEnum):
    """What a recording is; the value stands in its path."""

    MP3 = "mp3"
    SPEECH_WAV = "speech-wav"
    STUDIO_WAV = "studio-wav"
    M4A = "m4a"


@dataclass(frozen=True)
class LongRecording:
    """`head`, then `block` repeated `times` times: hundreds of megabytes that are never in memory at once."""

    head: bytes = field(repr=False)
    block: bytes = field(repr=False)
    times: int

    @property
    def size_bytes(self) -> int:
        """The size of the whole recording."""
        return len(self.head) + len(self.block) * self.times

    def pieces(self, start: int) -> Iterator[memoryview]:
        """The recording's bytes from the offset `start` to its end."""
        if start < len(self.head):
            yield memoryview(self.head)[start:]
            start = len(self.head)
        turn, offset = divmod(start - len(self.head), len(self.block)) if self.block else (0, 0)
        for number in range(turn, self.times):
            yield memoryview(self.block)[offset if number == turn else 0 :]


@cache
def long_recording(kind: Kind, minutes: int) -> LongRecording:
    """A recording of this kind and length; the index of an M4A is at its end."""
    if kind is Kind.MP3:
        return LongRecording(b"", _mp3_block(), minutes)
    if kind is Kind.M4A:
        return LongRecording(_m4a(minutes), b"", 0)
    rate, channels = (SPEECH_RATE_HZ, 1) if kind is Kind.SPEECH_WAV else (RECORDER_RATE_HZ, 2)
    block = bytes(_samples(rate).repeat(channels).tobytes())
    return LongRecording(_wav_header(rate, channels, len(block) * minutes), block, minutes)


def _samples(rate_hz: int) -> Samples:
    """Mono samples of 16 bits."""
    import numpy as np  # noqa: PLC0415 # only here, so that the measured process does not load it

    noise = np.random.default_rng(SEED).standard_normal(BLOCK_SECONDS * rate_hz) * LOUDNESS
    at = np.arange(len(noise)) / rate_hz
    return np.where(at % (SOUND_SECONDS + PAUSE_SECONDS) < SOUND_SECONDS, noise, 0).clip(-32768, 32767).astype(np.int16)


def _mp3_block() -> bytes:
    import av  # noqa: PLC0415 # only here, so that the measured process does not load it

    encoder = av.AudioCodecContext.create("libmp3lame", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RECORDER_RATE_HZ, "mono", "s16p"
    encoder.bit_rate = MP3_BITS_PER_SECOND
    return b"".join(data for data, _ in _packets(encoder, MP3_FRAME_SAMPLES))


def _m4a(minutes: int) -> bytes:
    import av  # noqa: PLC0415 # only here, so that the measured process does not load it

    whole = io.BytesIO()
    with av.open(whole, "w", format="ipod") as output:
        stream = output.add_stream("aac", rate=RECORDER_RATE_HZ, layout="mono", bit_rate=M4A_BITS_PER_SECOND)
        output.start_encoding()
        packets = _packets(stream.codec_context, AAC_FRAME_SAMPLES)
        now = 0
        for _ in range(minutes):
            for data, samples in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, Fraction(1, RECORDER_RATE_HZ)
                packet.pts = packet.dts = now
                packet.duration = samples
                now += samples
                output.mux(packet)
    return whole.getvalue()


def _packets(encoder: "AudioCodecContext", frame_samples: int) -> list[tuple[bytes, int]]:
    """The block, encoded: each packet with its number of samples; what remains in the encoder is left out."""
    import av  # noqa: PLC0415 # only here, so that the measured process does not load it

    whole = av.AudioFrame.from_ndarray(_samples(RECORDER_RATE_HZ)[None, :], format="s16", layout="mono")
    whole.sample_rate = RECORDER_RATE_HZ
    frames = av.AudioResampler(encoder.format, "mono", RECORDER_RATE_HZ, frame_size=frame_samples).resample(whole)
    return [(bytes(packet), frame_samples) for frame in frames for packet in encoder.encode(frame)]


def _wav_header(rate_hz: int, channels: int, data_bytes: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * channels * 2, channels * 2, 16)
    return struct.pack("<4sI4s4sI", b"RIFF", WAV_HEADER_BYTES - 8 + data_bytes, b"WAVE", b"fmt ", len(form)) + (
        form + struct.pack("<4sI", b"data", data_bytes)
    )
