"""Cuts a recording into chunks that one call of the API takes each, at the quietest place near where a cut is due.

A recording is read once and in order, whatever its length, and of it only what makes up the next chunk is held: samples are
cut between samples, MP3 between frames, without encoding anything again. What fits into one chunk as it is, and can be
read again, is not even held, but sent while it arrives.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from transcriber import wav
from transcriber.audio import Audio, EncodedAudio, PlainAudio, check_duration
from transcriber.chunks import MAX_CHUNK_BYTES, MAX_CHUNK_SECONDS, Chunk, HeldBytes, WholeSource
from transcriber.containers import Container
from transcriber.deadline import Deadline
from transcriber.decoding import Decoder
from transcriber.levels import (
    QUIET_AROUND_SECONDS,
    WORD_OVER_NOISE_DECIBELS,
    LevelMeter,
    Levels,
    decibels,
    quietest,
)
from transcriber.mp3 import Mp3Layout, states_length
from transcriber.mp3_frames import DECIBELS_OF_LEVEL, FrameScanner
from transcriber.segments import Span
from transcriber.sources.base import Source

# How far from where it is due a cut may be: few speakers go on for a minute without a pause.
SEARCH_SECONDS = 30.0
# The share of a chunk that the search takes at the most, where chunks are short.
SEARCH_SHARE = 0.25
# A remainder shorter than this is no chunk of its own: a model hears best what is said in its context.
SHORTEST_REST_SECONDS = 15.0

READ_BYTES = 256 * 1024
SAMPLE_BYTES = 2

# How much of a recording's beginning is listened to before it is sent as it arrives: two seconds and more.
HEARD_BYTES = 64 * 1024
# A word takes more frames than this.
FRAMES_OF_A_WORD = 4

# A header that is wrong by less than this is wrong by a frame or a tag, and no word is missing.
NOTICEABLE_SECONDS = 0.5
MAX_DAMAGES_NAMED = 10


@dataclass(frozen=True)
class CutPlan:
    """How long chunks are to be, in seconds, and at most in bytes."""

    chunk_seconds: float
    max_bytes: int = MAX_CHUNK_BYTES

    @property
    def search_seconds(self) -> float:
        """How far before and after the due place is searched."""
        return min(SEARCH_SECONDS, self.chunk_seconds * SEARCH_SHARE)

    @property
    def longest_seconds(self) -> float:
        """How long a chunk may become."""
        return min(self.chunk_seconds + self.search_seconds, MAX_CHUNK_SECONDS)

    @property
    def rest_seconds(self) -> float:
        """What is too short for a chunk of its own."""
        return min(SHORTEST_REST_SECONDS, self.search_seconds / 2)


@dataclass(frozen=True)
class Waiting:
    """What has been read of a recording and waits to be cut: so many units of equal length, each with a loudness."""

    units: int
    unit_seconds: float
    fitting_units: int
    decibels: Callable[[int, int], Sequence[float]]


def next_cut(waiting: Waiting, plan: CutPlan, *, at_end: bool) -> int | None:
    """How many of the units that wait make the next chunk; None when more has to be read to tell."""
    longest = max(1, min(waiting.fitting_units, int(plan.longest_seconds / waiting.unit_seconds)))
    rest = int(plan.rest_seconds / waiting.unit_seconds)
    if waiting.units <= longest:
        return waiting.units if at_end else None
    if waiting.units > longest + rest:
        due = longest - int(plan.search_seconds / waiting.unit_seconds)
    elif at_end:
        due = waiting.units // 2  # two chunks of about the same length, rather than a long one and a scrap
    else:
        return None
    return _quietest_near(due, waiting, plan, longest)


def _quietest_near(due: int, waiting: Waiting, plan: CutPlan, longest: int) -> int:
    """The quietest place near `due` that leaves a chunk of at most `longest`, and as much at most in the last one."""
    search = int(plan.search_seconds / waiting.unit_seconds)
    last = min(longest, due + search)
    first = min(max(1, due - search), last)
    around = math.ceil(max(QUIET_AROUND_SECONDS) / waiting.unit_seconds)
    begin = max(0, first - around)
    levels = waiting.decibels(begin, last + around)
    return begin + quietest(levels, first - begin, last - begin, level_seconds=waiting.unit_seconds)


class SampleCutter:
    """Cuts samples, 16 bits each and channels interleaved, into chunks of WAV."""

    def __init__(self, plan: CutPlan, *, sample_rate_hz: int, channels: int) -> None:
        self._plan = plan
        self._rate = sample_rate_hz
        self._channels = channels
        self._meter = LevelMeter(sample_rate_hz=sample_rate_hz, channels=channels)
        self._data = bytearray()
        self._start_bytes = 0

    @property
    def seconds(self) -> float:
        """How long all samples play that were fed so far."""
        return self._seconds(self._start_bytes + len(self._data))

    def feed(self, samples: "array[int]") -> Iterator[Chunk]:
        """Take more samples; the chunks that they complete."""
        self._data += memoryview(samples).cast("B")
        self._meter.feed(samples)
        yield from self._chunks(at_end=False)

    def finish(self) -> Iterator[Chunk]:
        """The chunks of what is left."""
        self._meter.finish()
        yield from self._chunks(at_end=True)

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        meter, unit_bytes = self._meter, self._meter.window_samples * SAMPLE_BYTES
        fitting = (self._plan.max_bytes - wav.PLAIN_HEADER_BYTES) // unit_bytes
        while meter.peaks:
            waiting = Waiting(
                len(meter.peaks), meter.window_seconds, fitting, lambda a, b: [decibels(p) for p in meter.peaks[a:b]]
            )
            units = next_cut(waiting, self._plan, at_end=at_end)
            if units is None:
                return
            start, size = self._start_bytes, units * unit_bytes
            taken, self._data = self._data, self._data[size:]
            del taken[size:]
            self._start_bytes += len(taken)
            yield Chunk(
                span=Span(self._seconds(start), self._seconds(self._start_bytes)),
                container=Container.WAV,
                body=HeldBytes(
                    wav.header(channels=self._channels, sample_rate_hz=self._rate, data_bytes=len(taken)), taken
                ),
                levels=Levels(meter.take(units), meter.window_seconds),
            )

    def _seconds(self, size_bytes: int) -> float:
        return size_bytes / (SAMPLE_BYTES * self._channels * self._rate)


class FrameCutter:
    """Cuts a stream of MP3 frames into chunks of MP3.

    A chunk begins with a few frames of the one before, without which its first ones could not be decoded. The frame that
    states the length of the whole stream is left out.
    """

    def __init__(self, plan: CutPlan) -> None:
        self.scanner = FrameScanner()
        self._plan = plan
        self._has_begun = False
        self._lead = 0
        self._start_frames = 0

    @property
    def seconds(self) -> float:
        """How long all frames play that were fed so far."""
        return (self._start_frames + len(self.scanner.levels) - self._lead) * self.scanner.frame_seconds

    def feed(self, block: bytes) -> Iterator[Chunk]:
        """Take more bytes; the chunks that they complete."""
        self.scanner.feed(block)
        yield from self._chunks(at_end=False)

    def finish(self) -> Iterator[Chunk]:
        """The chunks of what is left."""
        self.scanner.finish()
        yield from self._chunks(at_end=True)

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        scanner, seconds = self.scanner, self.scanner.frame_seconds
        self._leave_out_length()
        while len(scanner.levels) > self._lead:
            lead = self._lead
            waiting = Waiting(
                len(scanner.levels) - lead,
                seconds,
                bisect_right(scanner.ends, self._plan.max_bytes) - lead,
                lambda a, b: [DECIBELS_OF_LEVEL * level for level in scanner.levels[lead + a : lead + b]],  # noqa: B023 # called at once
            )
            frames = next_cut(waiting, self._plan, at_end=at_end)
            if frames is None:
                return
            silent = _may_be_silent(scanner.levels[: lead + frames])
            self._lead = scanner.lead(lead + frames) if lead + frames < len(scanner.levels) else 0
            data = scanner.take(lead + frames, keep=self._lead)
            start = self._start_frames
            self._start_frames += frames
            yield Chunk(
                span=Span(start * seconds, self._start_frames * seconds),
                container=Container.MP3,
                body=HeldBytes(b"", data),
                lead_seconds=lead * seconds,
                may_be_silent=silent,
            )

    def _leave_out_length(self) -> None:
        """Drop the stream's first frame if it holds no sound, but the length of the whole stream."""
        first = self.scanner.first
        if first is not None and self.scanner.levels and not self._has_begun:
            self._has_begun = True
            if states_length(self.scanner.data, 0, first):
                self.scanner.take(1, keep=0)


def cut(
    audio: Audio, plan: CutPlan, *, max_seconds: float, hold: bool, deadline: Deadline, warn: Callable[[str], None]
) -> Iterator[Chunk]:
    """The chunks of `audio`, in order, each made when it is asked for.

    With `hold`, a chunk's sound may be wanted more than once, and is not left to be fetched again. `warn` hears of what
    could not be read. `UnsupportedAudioError` where there are no samples; `AudioTooLargeError` as soon as there are more
    than `max_seconds` of them, whatever was announced.
    """
    seconds = 0.0
    for chunk in _cut(audio, plan, hold=hold, max_seconds=max_seconds, deadline=deadline, warn=warn):
        seconds = chunk.span.end_seconds
        check_duration(seconds, max_seconds=max_seconds)
        yield chunk
    check_duration(seconds, max_seconds=max_seconds)


def _cut(
    audio: Audio, plan: CutPlan, *, max_seconds: float, hold: bool, deadline: Deadline, warn: Callable[[str], None]
) -> Iterator[Chunk]:
    if isinstance(audio, EncodedAudio):
        stated_seconds = audio.duration_seconds
        with audio.decoder as decoder:
            yield from _cut_decoded(decoder, plan, stated_seconds, max_seconds, deadline, warn)
        return
    if not hold and goes_as_it_is(audio, plan):
        yield Chunk(Span(0.0, audio.duration_seconds or 0.0), audio.container, WholeSource(audio.source))
    elif isinstance(audio.layout, Mp3Layout):
        yield from _cut_mp3(audio.source, audio.layout, plan, warn)
    elif audio.layout.bytes_per_second * plan.longest_seconds <= plan.max_bytes:
        yield from _cut_wav(audio.source, audio.layout, plan)
    else:
        # Many bytes for what a model hears: decoded to its rate, it goes out in a quarter of them, for less CPU.
        with Decoder(audio.source, demuxer=audio.container, name="WAV") as decoder:
            yield from _cut_decoded(decoder, plan, None, max_seconds, deadline, warn)
    _warn_of_missing(audio.missing_seconds, audio.duration_seconds or 0.0, warn)


def goes_as_it_is(audio: PlainAudio, plan: CutPlan) -> bool:
    """Whether `audio` can be sent while it arrives, all of it in one chunk, and begins with sound."""
    size, seconds = audio.source.size_bytes, audio.duration_seconds
    if size is None or seconds is None or not audio.source.can_be_read_again:
        return False
    if size > plan.max_bytes or seconds > plan.longest_seconds:
        return False
    layout = audio.layout
    if isinstance(layout, Mp3Layout):
        scanner = FrameScanner()
        scanner.feed(audio.source.peek(layout.frames_start + HEARD_BYTES)[layout.frames_start :])
        return not _may_be_silent(scanner.levels)
    if not layout.is_right(size):
        return False
    meter = LevelMeter(sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    meter.feed(_samples(audio.source.peek(layout.data_start + HEARD_BYTES)[layout.data_start :]))
    return not meter.finish().is_silent


def _cut_decoded(
    decoder: Decoder,
    plan: CutPlan,
    stated_seconds: float | None,
    max_seconds: float,
    deadline: Deadline,
    warn: Callable[[str], None],
) -> Iterator[Chunk]:
    cutter = SampleCutter(plan, sample_rate_hz=decoder.sample_rate_hz, channels=1)
    for samples in decoder.samples(max_seconds=max_seconds, deadline=deadline):
        yield from cutter.feed(samples)
    yield from cutter.finish()
    for span in decoder.damage[:MAX_DAMAGES_NAMED]:
        warn(f"The file is damaged: what is said from {_at(span.start_seconds)} to {_at(span.end_seconds)} is missing.")
    if len(decoder.damage) > MAX_DAMAGES_NAMED:
        warn(f"The file is damaged in {len(decoder.damage)} places; the first {MAX_DAMAGES_NAMED} are named.")
    if stated_seconds is not None:
        _warn_of_missing(stated_seconds - cutter.seconds, cutter.seconds, warn)


def _cut_wav(source: Source, layout: wav.WavLayout, plan: CutPlan) -> Iterator[Chunk]:
    cutter = SampleCutter(plan, sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    with source.open() as reader:
        reader.skip(layout.data_start)
        left = layout.data_bytes
        while block := reader.read_fully(READ_BYTES if left is None else min(READ_BYTES, left)):
            left = None if left is None else left - len(block)
            yield from cutter.feed(_samples(block))
    yield from cutter.finish()


def _cut_mp3(source: Source, layout: Mp3Layout, plan: CutPlan, warn: Callable[[str], None]) -> Iterator[Chunk]:
    cutter = FrameCutter(plan)
    with source.open() as reader:
        reader.skip(layout.frames_start)
        while block := reader.read_fully(READ_BYTES):
            yield from cutter.feed(block)
    yield from cutter.finish()
    for frame, size_bytes in cutter.scanner.lost:
        seconds = size_bytes / layout.bytes_per_second
        if seconds >= NOTICEABLE_SECONDS:
            at = _at(frame * cutter.scanner.frame_seconds)
            warn(
                f"The file is damaged: at {at}, about {seconds:.1f} s cannot be read, and what is said there is missing."
            )


def _samples(block: bytes) -> "array[int]":
    samples = array("h")
    samples.frombytes(memoryview(block)[: len(block) // SAMPLE_BYTES * SAMPLE_BYTES])
    return samples


def _may_be_silent(levels: Sequence[int]) -> bool:
    """Whether hardly a frame stands out of the others, as it is in silence, and seldom otherwise."""
    limit = sorted(levels)[len(levels) // 2] + WORD_OVER_NOISE_DECIBELS / DECIBELS_OF_LEVEL if levels else 0
    return sum(1 for level in levels if level > limit) < FRAMES_OF_A_WORD


def _warn_of_missing(missing_seconds: float, there_seconds: float, warn: Callable[[str], None]) -> None:
    if missing_seconds > NOTICEABLE_SECONDS:
        stated = f"{there_seconds + missing_seconds:.1f} s"
        warn(f"The file is cut off: its header says {stated}, and {there_seconds:.1f} s are there.")


def _at(seconds: float) -> str:
    """A point in time as players show it."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
