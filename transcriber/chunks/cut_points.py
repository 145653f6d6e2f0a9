"""Decides where a recording is cut: at the quietest place near where a cut is due. Works on loudness alone."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transcriber.audio.loudness import SILENCE_DECIBELS
from transcriber.chunks.chunk import MAX_CHUNK_BYTES, MAX_CHUNK_SECONDS

# How far a cut may be from where it is due: few speakers go on for a minute without a pause.
SEARCH_SECONDS = 30.0
# The largest share of a chunk that is searched, where chunks are short.
SEARCH_SHARE = 0.25
# A shorter remainder is not a chunk of its own: models transcribe words best in their context.
SHORTEST_REST_SECONDS = 15.0

# The ranges around a cut, in seconds, whose loudness counts: the longest is a pause between sentences. All have the
# same weight, so that a long pause wins over a short one, and a short one over none.
QUIET_AROUND_SECONDS = (0.05, 0.15, 0.4)
# Places this close to the quietest are equally good; the middle of the longest run of them is the cut.
AS_QUIET_DECIBELS = 3.0


@dataclass(frozen=True)
class ChunkLimits:
    """The due length of chunks in seconds, and their largest size in bytes."""

    chunk_seconds: float
    max_bytes: int = MAX_CHUNK_BYTES

    @property
    def search_seconds(self) -> float:
        """The range before and after the due place that is searched."""
        return min(SEARCH_SECONDS, self.chunk_seconds * SEARCH_SHARE)

    @property
    def longest_seconds(self) -> float:
        """The longest chunk."""
        return min(self.chunk_seconds + self.search_seconds, MAX_CHUNK_SECONDS)

    @property
    def rest_seconds(self) -> float:
        """The longest remainder that is not a chunk of its own."""
        return min(SHORTEST_REST_SECONDS, self.search_seconds / 2)


@dataclass(frozen=True)
class PendingUnits:
    """The part of a recording that waits to be cut: units of equal length, each with a loudness.

    `fitting_units` is how many of them fit one call; `decibels` gives the loudness of those from a first to before a
    last.
    """

    units: int
    unit_seconds: float
    fitting_units: int
    decibels: Callable[[int, int], Sequence[float]]


def next_cut(pending: PendingUnits, limits: ChunkLimits, *, at_end: bool) -> int | None:
    """The number of pending units in the next chunk; None when more of the recording is needed to decide."""
    longest = max(1, min(pending.fitting_units, int(limits.longest_seconds / pending.unit_seconds)))
    rest = int(limits.rest_seconds / pending.unit_seconds)
    if pending.units <= longest:
        return pending.units if at_end else None
    if pending.units > longest + rest:
        due = longest - int(limits.search_seconds / pending.unit_seconds)
    elif at_end:
        due = pending.units // 2  # two chunks of about the same length, rather than a long one and a short rest
    else:
        return None
    return _quietest_near(due, pending, limits, longest)


def _quietest_near(due: int, pending: PendingUnits, limits: ChunkLimits, longest: int) -> int:
    """The quietest place near `due` that makes a chunk of at most `longest` units."""
    search = int(limits.search_seconds / pending.unit_seconds)
    last = min(longest, due + search)
    first = min(max(1, due - search), last)
    around = math.ceil(max(QUIET_AROUND_SECONDS) / pending.unit_seconds)
    begin = max(0, first - around)
    levels = pending.decibels(begin, last + around)
    return begin + quietest(levels, first - begin, last - begin, level_seconds=pending.unit_seconds)


def quietest(levels: Sequence[float], first: int, last: int, *, level_seconds: float) -> int:
    """The border between two of `levels`, from `first` to `last`, with the least sound around; the middle of a pause.

    `levels` are in decibels, one for each `level_seconds`; border i lies before the i-th level.
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
