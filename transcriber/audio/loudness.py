"""Measures the loudness of samples over time: where there is sound above the noise, and where it is quietest.

It examines a part of the samples only, since nothing finer than a pause between words is needed. Never decodes. What is
measured are changes within half a millisecond, which leave out a constant offset and most of a mains hum.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import inf, log10

from transcriber.audio.pcm import FULL_SCALE, samples_of
from transcriber.audio.peaks import peaks_of_changes
from transcriber.spans import Span

# A pause between words lasts twice this or more, so that at least one window lies wholly inside. Windows are a little
# shorter where the sample rate does not divide.
WINDOW_SECONDS = 0.05
# This many samples of a window give its peak to within a few decibels. Measured for an hour at 16 kHz: 0.06 CPU seconds
# with 32, twice as much with 64.
SAMPLES_A_WINDOW = 32
# About six seconds: enough for the speed, and little enough to stay in the processor's cache.
WINDOWS_AT_ONCE = 128
# Changes are measured over a period of these frequencies, in turns, so that none is left out by both. A voice's
# fundamental and first formants count nearly in full, hiss as much as before; 50 Hz loses 16 dB, an offset everything.
CHANGES_HZ = (2_000, 3_200)
# Each of both is measured of either side of stereo, since the samples of a window belong to the sides in turns.
TURNS = 4

# The level of digital silence: below what 16 bits can hold.
SILENCE_DECIBELS = -96.0
# One step of 16 bits: what rounding leaves of nothing.
ROUNDING_DECIBELS = -90.0
# Sound under this, in a chunk that is not quiet, is a few steps of 16 bits.
INAUDIBLE_DECIBELS = -66.0
# Under this, levels are so few steps of 16 bits that noise seems to leap: all of it counts as noise of this level.
LEAPING_DECIBELS = -82.0
# The shortest word has a vowel of this length; clicks and the peaks of noise are shorter.
VOWEL_SECONDS = 0.15
# For the length of a vowel, steady noise hardly ever exceeds its quieter parts by this much; a speaker does in each
# word.
VOWEL_OVER_NOISE_DECIBELS = 7.0
# Sound that exceeds the quieter parts by this much, for the length of a vowel, is no steady noise, whatever its colour;
# measured of minutes of noise: up to 5.5 in samples, and up to 36 in levels of MP3 frames, at the lowest rates.
CLEAR_DECIBELS = 10.0
CLEAR_ROUGH_DECIBELS = 40.0
# The share of the time that counts as noise, if there is any: hardly anybody speaks for more than the rest.
NOISE_SHARE = 0.1

# Speech exceeds the noise by the first figure, and is at most so much quieter than the loudest; where there is hardly a
# pause, the noise is unknown, and sound that is this much under the loudest counts as a pause.
SPEECH_OVER_NOISE_DECIBELS = 10.0
QUIETEST_UNDER_LOUDEST_DECIBELS = 44.0
SPEECH_UNDER_LOUDEST_DECIBELS = 22.0
# Where half of the time is at most this much louder than the quietest, it is noise.
MEDIAN_OVER_NOISE_DECIBELS = 8.0
# Noise is hardly ever louder.
LOUDEST_NOISE_DECIBELS = -36.0
# Gaps within words, such as before a plosive, are shorter than this.
SHORTEST_PAUSE_SECONDS = 0.25
# Fast speakers part sentences by pauses of 0.15 s, which show as two windows at least.
SHORTEST_PHRASE_PAUSE_SECONDS = 0.09
# A click, a knock.
SHORTEST_SPEECH_SECONDS = 0.1


@dataclass(frozen=True)
class Loudness:
    """The loudness of each window of a span of audio, in decibels of full scale.

    `is_rough` where it was read from MP3 frames. Where speech has been told from noise already, `speech_over` is the
    level from which on sound is speech; infinite where none is.
    """

    decibels: Sequence[float] = field(repr=False)
    window_seconds: float
    is_rough: bool = False
    speech_over: float | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is no sound at all, but for rounding."""
        return max(self.decibels, default=SILENCE_DECIBELS) <= ROUNDING_DECIBELS

    @cached_property
    def is_clear(self) -> bool:
        """Whether something exceeds the rest by so much that it cannot be noise."""
        held, noise = self._held_and_noise
        return held >= noise + (CLEAR_ROUGH_DECIBELS if self.is_rough else CLEAR_DECIBELS)

    @cached_property
    def is_steady(self) -> bool:
        """Whether nothing exceeds the rest, as in noise; sound that is hidden in it does not show here."""
        held, noise = self._held_and_noise
        if self.speech_over is not None:
            return self.speech_over == inf
        return held < noise + VOWEL_OVER_NOISE_DECIBELS

    @cached_property
    def held_decibels(self) -> float:
        """The highest level that is held for the length of a vowel."""
        return self._held_and_noise[0]

    @property
    def noise_decibels(self) -> float:
        """The level that a tenth of the time does not exceed."""
        return self._held_and_noise[1]

    @cached_property
    def _held_and_noise(self) -> tuple[float, float]:
        """The highest level that is held for the length of a vowel, and that of the noise."""
        if not self.decibels:
            return SILENCE_DECIBELS, LEAPING_DECIBELS
        vowel = min(len(self.decibels), max(1, round(VOWEL_SECONDS / self.window_seconds)))
        # The level that is held for the length of a vowel: the quietest window of each run of that length.
        shifted = (islice(self.decibels, start, None) for start in range(vowel))  # copies would be megabytes
        held = sorted(min(windows) for windows in zip(*shifted, strict=False))
        return held[-1], max(held[int(len(held) * NOISE_SHARE)], LEAPING_DECIBELS)

    def raised(self, by_decibels: float) -> "Loudness":
        """The loudness of the same sound, raised; what is nothing stays so."""
        levels = (level if level <= SILENCE_DECIBELS else level + by_decibels for level in self.decibels)
        return replace(self, decibels=array("d", levels))

    @cached_property
    def speech(self) -> tuple[Span, ...]:
        """The spans with sound that may be speech, in seconds from the start of the audio."""
        return self.speech_between(SHORTEST_PAUSE_SECONDS)

    @cached_property
    def phrases(self) -> tuple[Span, ...]:
        """The same, parted by shorter pauses, too: some of them are within words."""
        return self.speech_between(SHORTEST_PHRASE_PAUSE_SECONDS)

    def speech_between(self, shortest_pause_seconds: float) -> tuple[Span, ...]:
        """The spans that may be speech, between pauses of this length and longer."""
        if self.is_steady:
            return ()
        threshold = self._speech_threshold
        spans: list[Span] = []
        for index, level in enumerate(self.decibels):
            if level <= threshold:
                continue
            start, end = index * self.window_seconds, (index + 1) * self.window_seconds
            if spans and start - spans[-1].end_seconds < shortest_pause_seconds:
                spans[-1] = Span(spans[-1].start_seconds, end)
            else:
                spans.append(Span(start, end))
        return tuple(span for span in spans if span.duration_seconds > SHORTEST_SPEECH_SECONDS)

    @property
    def _speech_threshold(self) -> float:
        if self.speech_over is not None:
            return self.speech_over
        noise, median, loudest = self._low_median_high
        threshold = noise + SPEECH_OVER_NOISE_DECIBELS
        # Where nearly all of it is noise, the loudest twentieth may be noise as well.
        if median > min(noise + MEDIAN_OVER_NOISE_DECIBELS, LOUDEST_NOISE_DECIBELS):
            threshold = min(threshold, loudest - SPEECH_UNDER_LOUDEST_DECIBELS)
        return max(threshold, self.held_decibels - QUIETEST_UNDER_LOUDEST_DECIBELS)

    @cached_property
    def _low_median_high(self) -> tuple[float, float, float]:
        """The levels at a twentieth, half and nineteen twentieths; beyond are clicks and drop-outs."""
        ordered = sorted(self.decibels)
        edge = len(ordered) // 20
        return ordered[edge], ordered[len(ordered) // 2], ordered[-1 - edge]

    @property
    def speech_seconds(self) -> float:
        """The length of all spans that may be speech."""
        return sum(span.duration_seconds for span in self.speech)


class LoudnessMeter:
    """Measures the peak of each window of 16-bit samples, channels interleaved, as they arrive."""

    def __init__(self, *, sample_rate_hz: int, channels: int) -> None:
        self.peaks: array[int] = array("H")
        # A divisor of the window, so that the samples of many windows are one slice; odd, so that both channels count.
        self._step = max(channels + 1, round(sample_rate_hz * channels * WINDOW_SECONDS) // SAMPLES_A_WINDOW - 1) | 1
        self.window_samples = self._step * SAMPLES_A_WINDOW
        self.window_seconds = self.window_samples / (sample_rate_hz * channels)
        # Of the same channel, and within the step, so that both samples of a change are in one window.
        longest = (self._step - 1) // channels
        self._distances = [channels * min(longest, max(1, round(sample_rate_hz / hertz))) for hertz in CHANGES_HZ]
        self._rest: array[int] = array("h")

    def feed(self, samples: "array[int]") -> None:
        """Measure more samples; a rest that does not fill a window waits for the next ones."""
        start = 0
        if self._rest:
            start = self.window_samples - len(self._rest)
            self._rest += samples[:start]
            if len(self._rest) < self.window_samples:
                return
            self._measure(self._rest, 0, self.window_samples)
        end = start + (len(samples) - start) // self.window_samples * self.window_samples
        self._measure(samples, start, end)
        self._rest = samples[end:]

    def _measure(self, samples: "array[int]", start: int, end: int) -> None:
        """Measure the whole windows from `start` to before `end`."""
        size = WINDOWS_AT_ONCE * self.window_samples
        for first in range(start, end, size):
            last = min(first + size, end)
            self.peaks.extend(map(max, *(self._peaks_of_turn(samples, first, last, turn) for turn in range(TURNS))))

    def _peaks_of_turn(self, samples: "array[int]", first: int, last: int, turn: int) -> "array[int]":
        """The peaks of each window, by every fourth of the samples that are examined."""
        start, stride = first + turn * self._step, TURNS * self._step
        distance = self._distances[turn // len(self._distances)]
        earlier, later = samples[start:last:stride], samples[start + distance : last : stride]
        return peaks_of_changes(earlier, later, SAMPLES_A_WINDOW // TURNS)

    def decibels(self, first: int, last: int) -> "array[float]":
        """The loudness of the windows from `first` to before `last`."""
        return array("d", map(decibels, self.peaks[first:last]))  # a list takes four times as much

    def take(self, windows: int) -> Loudness:
        """Remove and return the first `windows`."""
        taken = self.decibels(0, windows)
        del self.peaks[:windows]
        return Loudness(taken, self.window_seconds)

    def shift(self, bits: int) -> None:
        """Raise the levels measured so far by `bits`; a negative number lowers them."""
        if bits > 0:
            self.peaks = array("H", (peak << bits for peak in self.peaks))
            self._rest = array("h", (sample << bits for sample in self._rest))
        elif bits < 0:
            self.peaks = array("H", (peak >> -bits for peak in self.peaks))
            self._rest = array("h", (sample >> -bits for sample in self._rest))

    def finish(self) -> None:
        """Count the rest, which does not fill a window, as a window of its own."""
        if self._rest:
            rest = self._rest
            pairs = (pair for by in self._distances for pair in zip(rest, islice(rest, by, None), strict=False))
            self.peaks.append(max((abs(later - earlier) // 2 for earlier, later in pairs), default=0))
            self._rest = array("h")

    def take_all(self) -> Loudness:
        """Finish, and remove and return the loudness of everything."""
        self.finish()
        return self.take(len(self.peaks))


def sample_loudness(data: bytes, *, sample_rate_hz: int, channels: int) -> Loudness:
    """The loudness of 16-bit samples, channels interleaved."""
    meter = LoudnessMeter(sample_rate_hz=sample_rate_hz, channels=channels)
    meter.feed(samples_of(data))
    return meter.take_all()


# Not cached: in samples, nearly every peak is another one, and each that is kept takes as much as 70 samples.
def decibels(peak: int) -> float:
    """A peak against full scale; that of nothing is `SILENCE_DECIBELS`, that of one step -90."""
    return 20 * log10(peak / FULL_SCALE) if peak else SILENCE_DECIBELS
