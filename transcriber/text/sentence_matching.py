"""Matches sentences with spans of speech: which span each sentence ends with, and whether speech is left without words.

Only ends of sentences are placed, at ends of spans: a table so small that all of it is searched, where single words
need a beam that may lose its way.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from transcriber.spans import Span

# Standard deviations of a sentence's length from the one that its letters predict: relative, and absolute.
PACE_DEVIATION = 0.18
LENGTH_DEVIATION_SECONDS = 0.3
# A sentence is said at most this much faster or slower than the whole.
MAX_PACE = 1.9
PACE_SLACK_SECONDS = 0.8
# In units of a squared deviation: a sentence that ends without a pause; a pause within a sentence, of no length, and of
# a second and a half and more.
NO_PAUSE_COST = 8.0
INNER_PAUSE_COST = 1.0
LONG_INNER_PAUSE_COST = 9.0
LONG_PAUSE_SECONDS = 1.5
# At most this many sentences without a pause between them.
MAX_JOINED = 3
# Speech without words begins and ends at pauses; that there is any is unlikely, and that there are two is more so.
GAP_COST = 21.0
# What sentences with words cost for each second and each pause, within speech of every kind: a gap is not cheaper, or
# speech with many short pauses within its words would fit best without words.
GAP_SECOND_COST = 0.14
GAP_PAUSE_COST = 1.1
# Paths that are so much worse than the best are not followed: no later sentence makes up for a dozen lost pauses.
MAX_COST_BEHIND = 100.0
INFINITY = float("inf")


@dataclass(frozen=True)
class Match:
    """For each sentence the number of spans that are over when it ends, and spans without words; and the cost."""

    ends: tuple[tuple[int, int], ...]
    gaps: tuple[tuple[int, int], ...]
    cost: float


def match_sentences(
    seconds: Sequence[float], spans: Sequence[Span], *, band_seconds: float = INFINITY, with_gaps: bool = False
) -> Match | None:
    """The cheapest match of sentences of these `seconds`, pauses left out, with `spans`; None where there is none.

    With gaps, spans may have no words; otherwise each span has. `band_seconds` limits how far a sentence may be from
    where an even pace puts it.
    """
    spoken = list(accumulate((span.duration_seconds for span in spans), initial=0.0))
    pauses = [after.start_seconds - before.end_seconds for before, after in pairwise(spans)]
    inner = [0.0, *accumulate(map(_inner_cost, pauses), initial=0.0)]
    due = list(accumulate(seconds, initial=0.0))
    count, last = len(seconds), len(spans)
    scale = spoken[-1] / due[-1] if due[-1] and not with_gaps else 1.0
    rows: list[dict[int, tuple[float, int, int]]] = [{} for _ in range(count + 1)]
    rows[0][0] = (0.0, -1, -1)
    for number, row in enumerate(rows):
        if with_gaps:
            _add_gaps(row, number, spoken)
        cheapest = min((cost for cost, _, _ in row.values()), default=0.0) + MAX_COST_BEHIND
        for joined in range(1, min(MAX_JOINED, count - number) + 1):
            following = number + joined
            length = due[following] - due[number]
            longest = length * MAX_PACE + PACE_SLACK_SECONDS
            shortest = length / MAX_PACE - PACE_SLACK_SECONDS
            first = bisect_left(spoken, due[following] * scale - band_seconds)
            final = bisect_right(spoken, due[following] * scale + band_seconds)
            target = rows[following]
            extra = (joined - 1) * NO_PAUSE_COST
            for place, (cost, _, _) in row.items():
                if cost > cheapest:
                    continue
                begun = spoken[place]
                start = max(place + 1, first, bisect_left(spoken, begun + shortest))
                for end in range(start, min(bisect_right(spoken, begun + longest), final, last + 1)):
                    off = spoken[end] - begun - length
                    total = (
                        cost
                        + extra
                        + off * off / ((PACE_DEVIATION * length) ** 2 + LENGTH_DEVIATION_SECONDS**2)
                        + inner[end]
                        - inner[place + 1]
                    )
                    known = target.get(end)
                    if known is None or total < known[0]:
                        target[end] = (total, number, place)
    if with_gaps:
        _add_gaps(rows[count], count, spoken)
    if last not in rows[count]:
        return None
    return _trace(rows, count, last)


def _inner_cost(pause_seconds: float) -> float:
    share = min(pause_seconds / LONG_PAUSE_SECONDS, 1.0)
    return INNER_PAUSE_COST + share * (LONG_INNER_PAUSE_COST - INNER_PAUSE_COST)


def _add_gaps(row: dict[int, tuple[float, int, int]], number: int, spoken: Sequence[float]) -> None:
    """Let speech without words follow each end in `row`; `spoken` are the seconds of speech up to each end."""
    best, place_of_best = INFINITY, -1
    for place, seconds in enumerate(spoken):
        known = row.get(place)
        length_cost = GAP_SECOND_COST * seconds + GAP_PAUSE_COST * place
        if best + length_cost + GAP_COST < (known[0] if known else INFINITY):
            row[place] = (best + length_cost + GAP_COST, number, place_of_best)
        if known is not None and known[0] - length_cost < best:
            best, place_of_best = known[0] - length_cost, place


def _trace(rows: Sequence[dict[int, tuple[float, int, int]]], count: int, last: int) -> Match:
    number, place = count, last
    ends: list[tuple[int, int]] = []
    gaps: list[tuple[int, int]] = []
    cost = rows[count][last][0]
    while place > 0 or number > 0:
        _, before, begun = rows[number][place]
        if before == number:
            gaps.append((begun, place))
        else:
            ends.append((number, place))
        number, place = before, begun
    return Match(tuple(reversed(ends)), tuple(reversed(gaps)), cost)
