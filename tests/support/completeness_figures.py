"""The figures of completeness and times over known speech: how often losses are found, and how often there is doubt."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from support.known_speech import Part, Sentence, known_speech

from transcriber.api.backend import ChunkTranscript
from transcriber.transcription.gaps import find_gaps
from transcriber.transcription.issues import find_issue
from transcriber.transcription.pace import Paced, RecordingPace
from transcriber.transcription.timing import timed_segments

COMPLETE = "complete"
LOST_SECONDS = (10, 20, 30, 60)
LOST_SECONDS_WITH_TIMES = (5, 8, 10, 15, 30)
PLACES = 6
RIGHT_SECONDS = 1.0


@dataclass
class Counts:
    """How many of how many, by what was tried."""

    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tried: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, label: str, *, is_found: bool) -> None:
        self.found[label] += is_found
        self.tried[label] += 1

    def share(self, label: str) -> float:
        return self.found[label] / self.tried[label]

    def rows(self) -> Iterator[str]:
        for label, tried in self.tried.items():
            yield f"| {label} | {self.found[label]} of {tried} |"


def _losses(part: Part, dice: random.Random) -> Iterator[tuple[str, Sequence[Sentence]]]:
    seconds = part.chunk.duration_seconds
    for number in range(5):
        yield "a fifth", part.without(seconds * number / 5, seconds * (number + 1) / 5)
    for number in range(2):
        yield "a half", part.without(seconds * number / 2, seconds * (number + 1) / 2)
    for length in LOST_SECONDS:
        start = dice.uniform(0, seconds - length)
        yield f"{length} s", part.without(start, start + length)


def without_times(counts: Counts, names: Sequence[str], *, minutes: float, has_others: bool, first: int = 99) -> None:
    """Losses that are looked for in the text alone, beside the other parts of the recording or by itself."""
    for name in names:
        parts = known_speech(name).parts(minutes)
        paced = [Paced(part.chunk.span, part.text, part.chunk.loudness.speech_seconds) for part in parts]
        for number, part in enumerate(parts[:first]):
            pace = RecordingPace()
            for other in paced if has_others else ():
                if other is not paced[number]:
                    pace.add(other)
            for label, sentences in ((COMPLETE, part.sentences), *_losses(part, random.Random(number))):  # noqa: S311 # a simulation
                transcript = ChunkTranscript(part.text_of(sentences), "model")
                issue = find_issue(part.chunk, transcript, pace, is_verbatim=True)
                counts.add(label, is_found=issue is not None)


def with_times(counts: Counts, names: Sequence[str], *, minutes: float, first: int = 99) -> None:
    """Losses that are looked for by a model's times, in two forms of what it makes of the segment before."""
    for name in names:
        for number, part in enumerate(known_speech(name).parts(minutes)[:first]):
            dice = random.Random(number)  # noqa: S311 # a simulation
            counts.add(COMPLETE, is_found=_has_gap(part, part.segments(dice)))
            for length in LOST_SECONDS_WITH_TIMES:
                for place in range(PLACES):
                    start = (part.chunk.duration_seconds - length) * place / (PLACES - 1)
                    lost = (start, start + length)
                    for is_stretched in (False, True):
                        segments = part.segments(dice, lost=lost, is_stretched=is_stretched)
                        label = f"{length} s" + (", segment before stretched" if is_stretched else "")
                        counts.add(label, is_found=_has_gap(part, segments))


def _has_gap(part: Part, segments: Sequence) -> bool:  # type: ignore[type-arg]
    text = part.space.join(segment.text for segment in segments)
    return bool(find_gaps(part.chunk, ChunkTranscript(text, "model", segments=tuple(segments))))


def border_errors(names: Sequence[str], *, minutes: float, has_times: bool, first: int = 99) -> list[float]:
    """For each start of a sentence, by how many seconds its segment is off, in order of size."""
    errors = []
    for name in names:
        for number, part in enumerate(known_speech(name).parts(minutes)[:first]):
            segments = part.segments(random.Random(number)) if has_times else None  # noqa: S311 # a simulation
            text = part.space.join(each.text for each in segments) if segments else part.text
            timed = timed_segments(part.chunk, ChunkTranscript(text, "model", segments=segments))
            starts = _starts([segment.text for segment in timed])
            times = dict(zip(starts, (segment.start_seconds for segment in timed), strict=False))
            for start, sentence in zip(
                _starts([part.text_of([each]) for each in part.sentences]), part.sentences, strict=False
            ):
                if start in times:
                    errors.append(abs(times[start] - part.chunk.span.start_seconds - sentence[0].start_seconds))
    return sorted(errors)


def _starts(texts: Sequence[str]) -> list[int]:
    """Where each text begins, in letters from the first one."""
    letters: Callable[[str], int] = lambda text: len("".join(text.split()))  # noqa: E731 # short
    return list(accumulate(map(letters, texts), initial=0))


def border_row(label: str, errors: Sequence[float]) -> str:
    """A row of the table for these errors."""
    middle, most = errors[len(errors) // 2], errors[int(len(errors) * 0.95)]
    right = sum(error <= RIGHT_SECONDS for error in errors) / len(errors)
    return f"| {label} ({len(errors):,}) | median {middle:.2f} s, 95 % within {most:.2f} s, {right:.1%} within 1 s |"
