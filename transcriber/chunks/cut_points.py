"""Decides where a recording is cut: at the quietest place near where a cut is due. Never touches the audio itself."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transcriber.audio.loudness import SILENCE_DECIBELS
from transcriber.chunks.chunk import MAX_CHUNK_BYTES, MAX_CHUNK_SECONDS

# How far from where it is due a cut may be: few speakers go on for a minute without a pause.
SEARCH_SECONDS = 30.0
# The share of a chunk that the search takes at the most, where chunks are short.
SEARCH_SHARE = 0.25
# A remainder shorter than this is no chunk of its own: a model hears best what is said in its context.
SHORTEST_REST_SECONDS = 15.0

# How far to each side of a cut it has to be quiet, in seconds: the longest is a pause between sentences. Each is
# weighed alike, so that a long pause wins over a short one, and a short one over none.
QUIET_AROUND_SECONDS = (0.05, 0.15, 0.4)
# Places that are this close to the quietest are as good; the middle of the longest run of them is taken.
AS_QUIET_DECIBELS = 3.0


@dataclass(frozen=True)
class ChunkLimits:
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
class PendingUnits:
    """What has been read of a recording and waits to be cut: so many units of equal length, each with a loudness."""

    units: int
    unit_seconds: float
    fitting_units: int
    decibels: Callable[[int, int], Sequence[float]]


def next_cut(waiting: PendingUnits, plan: ChunkLimits, *, at_end: bool) -> int | None:
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


def _quietest_near(due: int, waiting: PendingUnits, plan: ChunkLimits, longest: int) -> int:
    """The quietest place near `due` that leaves a chunk of at most `longest`, and as much at most in the last one."""
    search = int(plan.search_seconds / waiting.unit_seconds)
    last = min(longest, due + search)
    first = min(max(1, due - search), last)
    around = math.ceil(max(QUIET_AROUND_SECONDS) / waiting.unit_seconds)
    begin = max(0, first - around)
    levels = waiting.decibels(begin, last + around)
    return begin + quietest(levels, first - begin, last - begin, level_seconds=waiting.unit_seconds)


def quietest(levels: Sequence[float], first: int, last: int, *, level_seconds: float) -> int:
    """The border between two of `levels`, from `first` to `last`, with the least sound around; the middle of a pause.

    `levels` are in decibels, of whatever reference, one each `level_seconds`; border i lies before the i-th level.
    """
    radii = [max(1, round(seconds / level_seconds)) for seconds in QUIET_AROUND_SECONDS]
    scores = [
        sum(max(levels[max(0, border - radius) : border + radius], default=SILENCE_DECIBELS) for radius in radii)
        for border in range(first, last + 1)
    ]
    limit = min(scores) + AS_QUIET_DECIBELS
    best, run_start = (0, 0), None
    for index, score in enumerate((*scores, float("inf"))):
        if score <= limit:
            run_start = index if run_start is None else run_start
        elif run_start is not None:
            best = max(best, (index - run_start, run_start))
            run_start = None
    length, start = best
    return first + start + length // 2
