"""Knows how loud audio is from moment to moment: where there is sound above the noise, and where it is quietest.

It looks at a part of the samples only, since nothing finer than a pause between words is asked of it. Never decodes.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import log10

from transcriber.audio.peaks import peaks
from transcriber.spans import Span

# A pause between words lasts twice this or more, so that at least one window lies wholly inside. Windows are a little
# shorter where the sample rate does not divide.
WINDOW_SECONDS = 0.05
# So many samples of a window tell its peak to within a few decibels. Measured for an hour at 16 kHz: 0.08 CPU seconds
# with 32, 0.19 with 64.
SAMPLES_LOOKED_AT = 32
# Some two seconds, which are enough for the speed, and little enough to stay in the processor's cache.
WINDOWS_AT_ONCE = 64
FULL_SCALE = 32768

# What a window of digital silence counts as: below what 16 bits can hold.
SILENCE_DECIBELS = -96.0
# The shortest word has a vowel of this length; clicks are shorter, and so are the peaks of noise.
VOWEL_SECONDS = 0.15
# What stays under this for the length of a vowel is a few steps of 16 bits, in which no recorder leaves words.
INAUDIBLE_DECIBELS = -66.0
# Steady noise is hardly ever so much louder than its quieter parts for as long as a vowel; somebody who speaks is, in
# each word. Noise that is louder than the second figure might hide somebody, and is never taken for silence.
VOWEL_OVER_NOISE_DECIBELS = 7.0
LOUDEST_SILENCE_DECIBELS = -36.0
# How far the levels that are read off the frames of MP3 may be off.
ROUGH_DECIBELS = 12.0
# The share of the time that is taken for noise, if there is any: few people speak for more than the rest.
NOISE_SHARE = 0.2

# Speech stands out of the noise by this, and is not quieter than this; where there is hardly a pause, noise cannot be
# told, and what is this much under the loudest is taken for a pause.
SPEECH_OVER_NOISE_DECIBELS = 10.0
QUIETEST_SPEECH_DECIBELS = -54.0
SPEECH_UNDER_LOUDEST_DECIBELS = 22.0
# Where half of the time is no louder than this over the quietest, it is noise.
MEDIAN_OVER_NOISE_DECIBELS = 8.0
# Gaps within words, such as before a plosive, are shorter than this.
SHORTEST_PAUSE_SECONDS = 0.25
# A click, a knock.
SHORTEST_SPEECH_SECONDS = 0.1


@dataclass(frozen=True)
class Loudness:
    """How loud each window of a stretch of audio is, in decibels of full scale; the first begins where that does."""

    decibels: Sequence[float] = field(repr=False)
    window_seconds: float

    @property
    def is_silent(self) -> bool:
        """Whether nothing in it stands out of the noise: then there is no word in it."""
        return self._is_steady(VOWEL_OVER_NOISE_DECIBELS, LOUDEST_SILENCE_DECIBELS)

    @property
    def may_be_silent(self) -> bool:
        """The same, if these levels are rough ones: then it takes better ones to tell."""
        return self._is_steady(VOWEL_OVER_NOISE_DECIBELS + ROUGH_DECIBELS, LOUDEST_SILENCE_DECIBELS + ROUGH_DECIBELS)

    def _is_steady(self, over_noise_decibels: float, loudest_decibels: float) -> bool:
        if not self.decibels:
            return True
        vowel = min(len(self.decibels), max(1, round(VOWEL_SECONDS / self.window_seconds)))
        # How loud it is for as long as a vowel, everywhere: the quietest of so many windows in a row.
        held = sorted(min(windows) for windows in zip(*(self.decibels[i:] for i in range(vowel)), strict=False))
        loudest, noise = held[-1], held[int(len(held) * NOISE_SHARE)]
        if loudest <= INAUDIBLE_DECIBELS:
            return True
        return bool(loudest <= loudest_decibels and loudest < max(noise, SILENCE_DECIBELS) + over_noise_decibels)

    @cached_property
    def speech(self) -> tuple[Span, ...]:
        """Where there is sound that may be speech, in seconds from the stretch's start."""
        if self.is_silent:
            return ()
        noise, median, loudest = self._low_median_high
        threshold = noise + SPEECH_OVER_NOISE_DECIBELS
        # Where nearly all of it is noise, the loudest twentieth may be noise, too.
        if median > min(noise + MEDIAN_OVER_NOISE_DECIBELS, LOUDEST_SILENCE_DECIBELS):
            threshold = min(threshold, loudest - SPEECH_UNDER_LOUDEST_DECIBELS)
        threshold = max(threshold, QUIETEST_SPEECH_DECIBELS)
        spans: list[Span] = []
        for index, level in enumerate(self.decibels):
            if level <= threshold:
                continue
            start, end = index * self.window_seconds, (index + 1) * self.window_seconds
            if spans and start - spans[-1].end_seconds < SHORTEST_PAUSE_SECONDS:
                spans[-1] = Span(spans[-1].start_seconds, end)
            else:
                spans.append(Span(start, end))
        return tuple(span for span in spans if span.duration_seconds > SHORTEST_SPEECH_SECONDS)

    @cached_property
    def _low_median_high(self) -> tuple[float, float, float]:
        """The median, and how loud all but a twentieth at either end are, which may be clicks or drop-outs."""
        ordered = sorted(self.decibels)
        edge = len(ordered) // 20
        return ordered[edge], ordered[len(ordered) // 2], ordered[-1 - edge]

    @property
    def speech_seconds(self) -> float:
        """How much of it may be speech."""
        return sum(span.duration_seconds for span in self.speech)


class LoudnessMeter:
    """Hears samples, 16 bits each and channels interleaved, as they come, and notes the peak of each window."""

    def __init__(self, *, sample_rate_hz: int, channels: int) -> None:
        self.peaks: array[int] = array("H")
        # A divisor of the window, so that what is looked at of many is one slice; odd, so that it takes from both
        # channels.
        self._step = max(1, round(sample_rate_hz * channels * WINDOW_SECONDS) // SAMPLES_LOOKED_AT - 1) | 1
        self.window_samples = self._step * SAMPLES_LOOKED_AT
        self.window_seconds = self.window_samples / (sample_rate_hz * channels)
        self._rest: array[int] = array("h")

    def feed(self, samples: "array[int]") -> None:
        """Hear more; what does not fill a window waits for the next samples."""
        start = 0
        if self._rest:
            start = self.window_samples - len(self._rest)
            self._rest += samples[:start]
            if len(self._rest) < self.window_samples:
                return
            self._note(self._rest, 0, self.window_samples)
        end = start + (len(samples) - start) // self.window_samples * self.window_samples
        self._note(samples, start, end)
        self._rest = samples[end:]

    def _note(self, samples: "array[int]", start: int, end: int) -> None:
        """Note the peaks of the whole windows from `start` to before `end`."""
        size = WINDOWS_AT_ONCE * self.window_samples
        for first in range(start, end, size):
            self.peaks += peaks(samples[first : min(first + size, end) : self._step], SAMPLES_LOOKED_AT)

    def decibels(self, first: int, last: int) -> list[float]:
        """How loud the windows from `first` to before `last` are."""
        return [decibels(peak) for peak in self.peaks[first:last]]

    def take(self, windows: int) -> Loudness:
        """The first `windows`, which are then gone."""
        taken = self.decibels(0, windows)
        del self.peaks[:windows]
        return Loudness(taken, self.window_seconds)

    def finish(self) -> None:
        """Take what is left for a window of its own."""
        if self._rest:
            highest, lowest = max(self._rest), min(self._rest)
            self.peaks.append(max(highest, -lowest))
            self._rest = array("h")


@lru_cache(maxsize=FULL_SCALE + 1)  # of samples there are no more peaks than that
def decibels(peak: float) -> float:
    """A peak against full scale, not below what counts as silence."""
    return max(SILENCE_DECIBELS, 20 * log10(peak / FULL_SCALE)) if peak > 0 else SILENCE_DECIBELS
