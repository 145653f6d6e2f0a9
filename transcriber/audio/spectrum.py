"""Tells speech from steady noise by the noise's own spectrum: hiss, rumble, mains hum, a constant offset.

Levels of the whole sound hide a voice that is no louder than the noise. In a band of its spectrum, noise keeps to its
level; a voice exceeds it in some bands at a time, for the length of a vowel. FFmpeg splits the sound into bands and
takes the power of each, through PyAV; an hour takes 1.8 CPU seconds. That is for doubt alone: where levels are clear,
nothing is split.
"""

from array import array
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import islice, pairwise
from math import inf, log10
from typing import TYPE_CHECKING, Final, cast

from transcriber.audio.loudness import Loudness
from transcriber.audio.pcm import FULL_SCALE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.filter import Graph
    from av.filter.context import FilterContext

# A voice's fundamental and formants, in bands that are wide enough for noise to keep to its level within a window: of
# 15 minutes of white, pink and brown noise in eight codecs, the best two bands exceeded it by 3.5 dB at most.
BANDS_HZ: Final = ((200, 350), (350, 600), (600, 1_000), (1_000, 1_700), (1_700, 2_700), (2_700, 3_700))
# Twice the highest band, and some.
RATE_HZ: Final = 8_000
# Under it there is rumble and hum, and nothing of a word that is not above it as well.
HIGHPASS_HZ: Final = 150
WINDOW_SECONDS: Final = 0.05
# Parts of a window whose power is averaged. It is smoothed over about a part, so that a click fades within a window.
PARTS: Final = 3
SMOOTHING_HZ: Final = 30
# The bands that count at a time: a vowel has two formants or more.
BEST_BANDS: Final = 2
# The windows that are fetched at a time: a second.
BLOCK_WINDOWS: Final = 20
# The share of the time that counts as noise, if there is any.
NOISE_SHARE: Final = 0.1
# The power of one step of 16 bits, in each octave or so: what rounding leaves is no sound.
ROUNDING_POWER: Final = 0.1 / FULL_SCALE**2
# Speech exceeds the noise in its best bands by this much, on the average of a vowel; of a window, only so much more
# counts, so that a click, which may be in two, is none.
SPEECH_DECIBELS: Final = 5.0
CLICK_DECIBELS: Final = 6.0
VOWEL_WINDOWS: Final = 3
# Of less sound, the noise cannot be known: there may be no pause in it.
SHORTEST_NOISE_SECONDS: Final = 1.5


class SpeechMeter:
    """Measures by how much 16-bit samples exceed the noise in them, in the bands of a voice, window by window."""

    def __init__(self, *, sample_rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = sample_rate_hz, channels
        self._band_rate_hz = min(sample_rate_hz, RATE_HZ)
        self._bands = [band for band in BANDS_HZ if band[1] < self._band_rate_hz / 2] or [(200, 350)]
        self._powers: list[array[float]] = [array("f") for _ in self._bands]
        self._part = max(1, round(self._band_rate_hz * WINDOW_SECONDS / PARTS))
        self._graph = self._graph_of_bands()
        self._samples = 0

    def feed(self, samples: "array[int]") -> None:
        """Measure more samples, channels interleaved; whole seconds at a time are fastest."""
        import av  # noqa: PLC0415 # 24 MiB, and 0.1 s of CPU at a cold start; only sound in doubt needs it

        count = len(samples) // self._channels
        if not count:
            return
        frame = av.AudioFrame(format="s16", layout=_layout(self._channels), samples=count)
        frame.planes[0].update(_padded(samples, frame.planes[0].buffer_size))
        frame.sample_rate, frame.time_base, frame.pts = self._rate_hz, Fraction(1, self._rate_hz), self._samples
        self._samples += count
        self._graph.push(frame)
        self._pull()

    @property
    def seconds(self) -> float:
        """The length of the samples so far."""
        return self._samples / self._rate_hz

    def take_all(self) -> Loudness:
        """The levels of everything over its noise, as `Loudness` whose `speech_over` tells speech; nothing follows."""
        self._graph.push(None)
        self._pull()
        return self.levels()

    def levels(self) -> Loudness:
        """The levels so far over the noise so far."""
        over = [_over_noise(powers) for powers in self._powers]
        count = min(BEST_BANDS, len(over))
        levels = [sum(sorted(window)[-count:]) / count for window in zip(*over, strict=True)]
        speech_over = SPEECH_DECIBELS if _loudest_vowel(levels) >= SPEECH_DECIBELS else inf
        return Loudness(levels, PARTS * self._part / self._band_rate_hz, speech_over=speech_over)

    def _pull(self) -> None:
        import av  # noqa: PLC0415 # imported already

        # One of these says that nothing more is ready.
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                frame = cast("AudioFrame", self._graph.pull())
                for powers, plane in zip(self._powers, frame.planes, strict=True):
                    values = memoryview(plane).cast("f")
                    powers.extend(values[self._part - 1 : frame.samples : self._part])

    def _graph_of_bands(self) -> "Graph":
        from av.filter import Graph  # noqa: PLC0415 # only sound in doubt needs it

        graph = Graph()
        source = graph.add_abuffer(
            sample_rate=self._rate_hz,
            format="s16",
            layout=_layout(self._channels),
            time_base=Fraction(1, self._rate_hz),
        )
        count = len(self._bands)
        split, joined = graph.add("asplit", str(count)), graph.add("join", f"inputs={count}:channel_layout={count}c")
        mono = f"sample_fmts=fltp:channel_layouts=mono:sample_rates={self._band_rate_hz}"
        _chain(
            source,
            graph.add("aresample", str(self._band_rate_hz)),
            graph.add("aformat", mono),
            graph.add("highpass", f"f={HIGHPASS_HZ}"),
            split,
        )
        for number, (low, high) in enumerate(self._bands):
            band = graph.add("bandpass", f"f={(low * high) ** 0.5:.0f}:width_type=h:w={high - low}")
            twice, square = graph.add("asplit", "2"), graph.add("amultiply")
            smooth = graph.add("lowpass", f"f={SMOOTHING_HZ}:p=1")
            split.link_to(band, number, 0)
            band.link_to(twice)
            twice.link_to(square, 0, 0)
            twice.link_to(square, 1, 1)
            square.link_to(smooth)
            smooth.link_to(joined, 0, number)
        whole = graph.add("asetnsamples", f"n={self._part * PARTS * BLOCK_WINDOWS}:p=0")
        _chain(joined, whole, graph.add("abuffersink"))
        graph.configure()
        return graph


def _chain(*filters: "FilterContext") -> None:
    for one, following in pairwise(filters):
        one.link_to(following)


def _layout(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"


def _padded(samples: "array[int]", size_bytes: int) -> bytes:
    """The bytes of the samples in a buffer of FFmpeg's, which is a little larger."""
    data = samples.tobytes()
    return data + bytes(max(0, size_bytes - len(data)))


def _over_noise(powers: Sequence[float]) -> list[float]:
    """By how many decibels each power exceeds the noise, which is the lower end of all."""
    windows = [sum(parts) / PARTS for parts in zip(*(powers[part::PARTS] for part in range(PARTS)), strict=False)]
    if not windows:
        return []
    noise = max(sorted(windows)[int(len(windows) * NOISE_SHARE)], ROUNDING_POWER)
    return [10 * log10(max(power, ROUNDING_POWER) / noise) for power in windows]


def _loudest_vowel(levels: Sequence[float]) -> float:
    """The highest average of the windows of a vowel."""
    capped = [min(level, CLICK_DECIBELS) for level in levels]
    shifted = [islice(capped, start, None) for start in range(min(VOWEL_WINDOWS, len(capped)))]
    return max((sum(windows) / VOWEL_WINDOWS for windows in zip(*shifted, strict=False)), default=0.0)
