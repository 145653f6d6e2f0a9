"""Speech and noise of any level, in files that keep it.

Samples are floats, full scale is 1, and there is a column for each channel.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import av
import numpy as np
from numpy.typing import NDArray
from support.recordings import recording

from emulator.recognisers.markers import SAMPLE_RATE_HZ

Sound = NDArray[np.float64]

NOISES: Final = ("white", "pink", "brown", "hum", "offset")


@dataclass(frozen=True)
class Format:
    """A container and codec, and how it is written."""

    container: str
    codec: str
    rate_hz: int = SAMPLE_RATE_HZ
    bit_rate: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


FORMATS: Final = {
    "WAV 16 bit": Format("wav", "pcm_s16le"),
    "WAV 24 bit": Format("wav", "pcm_s24le", 48_000),
    "WAV float": Format("wav", "pcm_f32le"),
    "FLAC 24 bit": Format("flac", "flac", 44_100),
    "MP3 64": Format("mp3", "libmp3lame", 44_100, 64_000),
    "MP3 32": Format("mp3", "libmp3lame", 16_000, 32_000),
    "MP3 8 kHz": Format("mp3", "libmp3lame", 8_000, 16_000),
    "M4A": Format("ipod", "aac", 44_100, 64_000),
    "Opus": Format("ogg", "libopus", 48_000, 32_000),
}


def gain(dbfs: float) -> float:
    return float(10 ** (dbfs / 20))


def speech(name: str, *, peak_dbfs: float = 0.0) -> Sound:
    """One of the recordings with known words, with this peak."""
    samples = np.frombuffer(recording(name)[44:], np.int16).astype(float)
    return cast("Sound", samples / np.abs(samples).max() * gain(peak_dbfs))


def noise(kind: str, seconds: float, *, peak_dbfs: float = 0.0, seed: int = 1) -> Sound:
    """Steady noise of a colour, a mains hum with its harmonics, or a constant offset; the peak of noise is 4 sigma."""
    count = round(seconds * SAMPLE_RATE_HZ)
    if kind == "offset":
        return np.full(count, gain(peak_dbfs))
    if kind == "hum":
        at = 2 * np.pi * 50 * np.arange(count) / SAMPLE_RATE_HZ
        parts = [share * np.sin(number * at + number) for number, share in ((1, 1), (2, 0.3), (3, 0.5), (5, 0.2))]
        return cast("Sound", sum(parts) / 1.6 * gain(peak_dbfs))
    white = np.random.default_rng(seed).standard_normal(count)
    power = {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind]
    spectrum = np.fft.rfft(white) / np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 5) ** power
    spectrum[0] = 0
    coloured = np.fft.irfft(spectrum, count)
    return cast("Sound", coloured / coloured.std() / 4 * gain(peak_dbfs))


def in_stillness(sound: Sound, *, before: float = 2.0, after: float = 2.0) -> Sound:
    """The sound between seconds of nothing."""
    return np.concatenate([np.zeros(round(before * SAMPLE_RATE_HZ)), sound, np.zeros(round(after * SAMPLE_RATE_HZ))])


def file_of(sound: Sound, kind: Format, *, layout: str | None = None, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """The sound, of `rate_hz`, as a file; of two channels as stereo unless there is a `layout`."""
    columns = sound[:, None] if sound.ndim == 1 else sound
    layout = layout or ("mono" if columns.shape[1] == 1 else "stereo")
    file = io.BytesIO()
    with av.open(file, "w", format=kind.container) as output:
        stream = cast(
            "av.AudioStream",
            output.add_stream(kind.codec, rate=kind.rate_hz, layout=layout, options=dict(kind.options)),
        )
        context: Any = stream.codec_context
        if kind.codec == "flac":
            context.format = "s32"
        if kind.bit_rate is not None:
            stream.bit_rate = kind.bit_rate
        resampler = av.AudioResampler(context.format, layout, kind.rate_hz, frame_size=context.frame_size or 4096)
        whole = np.ascontiguousarray(columns.clip(-1, 1).astype(np.float32)).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(whole, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def likeness(found: NDArray[Any], expected: Sound) -> float:
    """How alike two sounds are, whatever their levels and whichever begins a little later: 1 for the same."""
    length = 1 << (len(found) + len(expected)).bit_length()
    shape, other = (np.fft.rfft(each.astype(float) - each.mean(), length) for each in (found, expected))
    match = np.abs(np.fft.irfft(shape * other.conj(), length)).max()
    size = float(np.linalg.norm(found.astype(float) - found.mean()) * np.linalg.norm(expected - expected.mean()))
    return float(match / size) if size else 0.0
