"""Rows that measure what is done with a transcript: its times, and whether it is complete; no API, no audio."""

import random
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench_suite.lines import CPU, Line, Metric, Target
from bench_suite.work import Contender
from transcriber.api.backend import ChunkTranscript
from transcriber.audio.containers import Container
from transcriber.audio.loudness import Loudness
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.spans import Segment, Span
from transcriber.transcription.gaps import find_gaps
from transcriber.transcription.issues import find_issue
from transcriber.transcription.pace import RecordingPace
from transcriber.transcription.timing import timed_segments

GROWTH: Final = Metric("CPU", "x quarter", 2)
GROWTH_FACTOR: Final = 4
WINDOW_SECONDS: Final = 0.05
LOUD_DECIBELS, QUIET_DECIBELS = -12.0, -70.0
LETTERS_A_SECOND: Final = 14.0
SEED: Final = 14


class Step(StrEnum):
    """What is done with a text."""

    TIMES = "times"
    COMPLETENESS = "completeness"


@dataclass(frozen=True, kw_only=True)
class SpeechRow:
    """An hour of text in chunks of some minutes, with or without times of the API; a sample is all of it."""

    name: str
    step: Step
    has_times: bool
    rounds: int
    quick_rounds: int
    minutes: float = 60
    chunk_minutes: float = 5
    target: Target | None = None
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        spoken = [_spoken(SEED + n, self.chunk_minutes) for n in range(round(self.minutes / self.chunk_minutes))]
        samples = tuple(_cpu_seconds(spoken, self.step, has_times=self.has_times) for _ in range(rounds))
        return (Line(self.name, CPU, {Contender.OURS: samples}, target=self.target),)


@dataclass(frozen=True, kw_only=True)
class GrowthRow:
    """How much longer four times the text takes, as one chunk."""

    name: str
    step: Step
    rounds: int
    quick_rounds: int
    minutes: float
    target: Target | None = None
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        short, long = (_spoken(SEED, self.minutes * factor) for factor in (1, GROWTH_FACTOR))
        samples = tuple(
            _cpu_seconds([long], self.step, has_times=False) / _cpu_seconds([short], self.step, has_times=False)
            for _ in range(rounds)
        )
        return (Line(self.name, GROWTH, {Contender.OURS: samples}, target=self.target),)


def _cpu_seconds(spoken: list[tuple[Chunk, tuple[Segment, ...]]], step: Step, *, has_times: bool) -> float:
    work = [(chunk, _transcript(segments, has_times=has_times)) for chunk, segments in spoken]
    started = time.process_time()
    for chunk, transcript in work:
        if step is Step.TIMES:
            timed_segments(chunk, transcript)
        elif has_times:
            find_gaps(chunk, transcript)
        else:
            find_issue(chunk, transcript, RecordingPace(), is_verbatim=True)
    return time.process_time() - started


def _transcript(segments: tuple[Segment, ...], *, has_times: bool) -> ChunkTranscript:
    text = " ".join(segment.text for segment in segments)
    return ChunkTranscript(text, "model", segments=segments if has_times else None)


def _spoken(seed: int, minutes: float) -> tuple[Chunk, tuple[Segment, ...]]:
    """A chunk without sound, but with the levels of its sentences, each at a pace of its own and with pauses within."""
    dice = random.Random(seed)  # noqa: S311 # a simulation, which has to be the same each time
    decibels: list[float] = []
    segments: list[Segment] = []

    def add(seconds: float, level: float) -> None:
        decibels.extend([level] * round(seconds / WINDOW_SECONDS))

    while len(decibels) * WINDOW_SECONDS < minutes * 60:
        start = len(decibels) * WINDOW_SECONDS
        letters_a_second = LETTERS_A_SECOND * dice.lognormvariate(0.0, 0.15)
        phrases = [
            " ".join("".join(dice.choices("aeioulnrst", k=dice.randint(2, 9))) for _ in range(dice.randint(3, 10)))
            for _ in range(dice.randint(1, 3))
        ]
        for number, phrase in enumerate(phrases):
            add(len(phrase) / letters_a_second, LOUD_DECIBELS)
            if number < len(phrases) - 1:
                add(dice.uniform(0.15, 0.6), QUIET_DECIBELS)
        segments.append(Segment(start, len(decibels) * WINDOW_SECONDS, ", ".join(phrases).capitalize() + "."))
        add(dice.uniform(0.2, 1.2), QUIET_DECIBELS)
    span = Span(0.0, len(decibels) * WINDOW_SECONDS)
    measured = Loudness(decibels, WINDOW_SECONDS)
    return Chunk(span, Container.WAV, BytesPayload([b""]), None, measured=measured), tuple(segments)
