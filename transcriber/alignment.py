"""Gives words times by where there is speech, for an API that gives none.

The pauses of the recording are matched with the ends of words so that each stretch of speech gets about as many letters
as it lasts, and pauses fall on punctuation. It never listens to the audio: a border is right to within a second or so.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from transcriber.segments import Segment, Span
from transcriber.words import Break, Word, join_words, split_words

# A digit is read as a word, a character of Chinese or Japanese as a syllable or two; both in letters.
LETTERS_A_DIGIT = 4
LETTERS_AN_IDEOGRAPH = 3
_FIRST_IDEOGRAPH = "\u2e80"

# How far the speech may have run ahead of an even pace, or fallen behind: ten sentences at a pace of their own do that.
BAND_SECONDS = 20.0
# No stretch is said more than this much faster than the whole; and a short one may hold a long word.
MAX_PACE = 2.2
MAX_PACE_SLACK_SECONDS = 0.8
# How much a stretch's length differs from what its letters tell: in proportion, as a speaker's pace does, and besides.
PACE_DEVIATION = 0.18
STRETCH_DEVIATION = 0.08
LENGTH_DEVIATION_SECONDS = 0.1

# What it costs to have a pause after a word, in the units of a squared deviation: sentences end in pauses, clauses may.
PAUSE_COSTS = {Break.SENTENCE: 0.0, Break.CLAUSE: 2.0, Break.WORD: 3.0, Break.CHARACTER: 3.0}
# The longer it is, the less it is in mid-sentence; from here on it is as long as it matters.
LONG_PAUSE_SECONDS = 1.5
LONG_PAUSE_FACTOR = 5.0
# What it costs to have no pause there.
NO_PAUSE_COSTS = {Break.SENTENCE: 10.0, Break.CLAUSE: 0.3, Break.WORD: 0.0, Break.CHARACTER: 0.0}

# A segment ends with its sentence; without punctuation, at the first pause after what a subtitle may stand.
LONG_SEGMENT_SECONDS = 7.0
# Whatever the punctuation, a pause as long as this ends one.
SEGMENT_PAUSE_SECONDS = 1.0


def align(text: str, speech: Sequence[Span], *, max_seconds: float) -> tuple[Segment, ...]:
    """The words of `text` as segments that end with their sentences, in order and without overlap.

    `speech` are the spans with sound, in order and apart, within 0 to `max_seconds`. Without any, time is shared out evenly.
    """
    words = split_words(text)
    if not words:
        return ()
    spans = [span for span in speech if span.duration_seconds > 0] or [Span(0.0, max_seconds)]
    spoken = _Spoken.of(words, sum(span.duration_seconds for span in spans))
    borders = _match(spoken, spans)
    return tuple(_segments(spoken, spans, borders))


@dataclass(frozen=True)
class _Spoken:
    """Words, and how long they take at an even pace: `ends_seconds[n]` is the time of the first `n`, pauses left out."""

    words: Sequence[Word]
    ends_seconds: Sequence[float]

    @classmethod
    def of(cls, words: Sequence[Word], seconds: float) -> "_Spoken":
        letters = list(accumulate(map(_letters, words), initial=0))
        return cls(words, [count * seconds / letters[-1] for count in letters])


@dataclass(frozen=True, slots=True)
class _Way:
    cost: float
    sentence_start_seconds: float
    sentence_spoken_seconds: float


def _letters(word: Word) -> int:
    text = word.text
    if text.isascii() and text.isalpha():
        return len(text) + 1
    return 1 + sum(
        LETTERS_A_DIGIT if character.isdigit() else LETTERS_AN_IDEOGRAPH if character >= _FIRST_IDEOGRAPH else 1
        for character in text
        if character.isalnum()
    )


def _match(spoken: _Spoken, spans: Sequence[Span]) -> list[int]:
    """How many words are said by the end of each span.

    The cheapest way through a table of pauses and words (dynamic programming), of which only the words near an even pace are filled in.
    """
    ends = spoken.ends_seconds
    count = len(spoken.words)
    # costs of the sentence and clause ends that the first n words hold
    skipped = list(accumulate((NO_PAUSE_COSTS[word.end] for word in spoken.words), initial=0.0))
    after = [PAUSE_COSTS[Break.SENTENCE], *(PAUSE_COSTS[word.end] for word in spoken.words)]
    inner = [0.0, *skipped[:-1]]  # as `skipped`, without the last word's own end
    ways = {0: _Way(0.0, 0.0, 0.0)}
    origins: list[dict[int, int]] = []
    spoken_seconds = 0.0
    for number, span in enumerate(spans):
        seconds = span.duration_seconds
        spoken_seconds += seconds
        is_last = number == len(spans) - 1
        pause_seconds = 0.0 if is_last else spans[number + 1].start_seconds - span.end_seconds
        factor = 1.0 + (LONG_PAUSE_FACTOR - 1.0) * min(pause_seconds / LONG_PAUSE_SECONDS, 1.0)
        stretch_scale = 1.0 / ((STRETCH_DEVIATION * seconds) ** 2 + LENGTH_DEVIATION_SECONDS**2)
        low = count if is_last else bisect_left(ends, spoken_seconds - BAND_SECONDS)
        high = count if is_last else min(bisect_right(ends, spoken_seconds + BAND_SECONDS), count)
        longest = MAX_PACE * seconds + MAX_PACE_SLACK_SECONDS
        best: dict[int, float] = {}
        origin: dict[int, int] = {}
        for start, way in ways.items():
            start_seconds = ends[start]
            base = way.cost - skipped[start]
            sentence_start = way.sentence_start_seconds
            sentence_seconds = spoken_seconds - way.sentence_spoken_seconds
            sentence_scale = 1.0 / ((PACE_DEVIATION * sentence_seconds) ** 2 + LENGTH_DEVIATION_SECONDS**2)
            share = seconds / sentence_seconds
            # However long a word is, there is a way on.
            first = max(low, start)
            fits = bisect_right(ends, start_seconds + longest)
            for end in range(first, min(max(fits, first + 1, start + 2), high + 1)):
                letters_seconds = ends[end] - sentence_start
                off_sentence = letters_seconds - sentence_seconds
                off_stretch = ends[end] - start_seconds - letters_seconds * share
                total = (
                    base
                    + (inner[end] if end > start else skipped[start])
                    + off_sentence * off_sentence * sentence_scale
                    + off_stretch * off_stretch * stretch_scale
                )
                if end not in best or total < best[end]:
                    best[end] = total
                    origin[end] = start
        next_ways = {}
        for end, total in best.items():
            way = ways[origin[end]]
            if end and spoken.words[end - 1].end is Break.SENTENCE:
                next_ways[end] = _Way(total, ends[end], spoken_seconds)
            else:
                sentence_seconds = spoken_seconds - way.sentence_spoken_seconds
                off = ends[end] - way.sentence_start_seconds - sentence_seconds
                paid = off * off / ((PACE_DEVIATION * sentence_seconds) ** 2 + LENGTH_DEVIATION_SECONDS**2)
                next_ways[end] = _Way(
                    total - paid + after[end] * factor, way.sentence_start_seconds, way.sentence_spoken_seconds
                )
        ways = next_ways
        origins.append(origin)
    borders = [count]
    for origin in reversed(origins):
        borders.append(origin[borders[-1]])
    return borders[-2::-1]


def _segments(spoken: _Spoken, spans: Sequence[Span], borders: Sequence[int]) -> Iterator[Segment]:
    """Segments of the words, where the span numbered n holds those before `borders[n]`."""
    segment_start = 0
    start_seconds = 0.0
    for number, (first, last) in enumerate(pairwise([0, *borders])):
        span = spans[number]
        pause_seconds = spans[number + 1].start_seconds - span.end_seconds if number + 1 < len(spans) else 0.0
        for end in range(first + 1, last + 1):
            if segment_start == end - 1:
                start_seconds = _time(spoken, span, first, last, end - 1)
            end_seconds = _time(spoken, span, first, last, end)
            is_over = spoken.words[end - 1].end is Break.SENTENCE or (
                end == last
                and (pause_seconds >= SEGMENT_PAUSE_SECONDS or end_seconds - start_seconds >= LONG_SEGMENT_SECONDS)
            )
            if is_over or end == len(spoken.words):
                yield Segment(start_seconds, end_seconds, join_words(spoken.words[segment_start:end]))
                segment_start = end


def _time(spoken: _Spoken, span: Span, first: int, last: int, position: int) -> float:
    """When, in `span`, the words before `position` have been said; it holds those from `first` to before `last`."""
    ends = spoken.ends_seconds
    if position == last:
        return span.end_seconds
    share = (ends[position] - ends[first]) / (ends[last] - ends[first])
    return span.start_seconds + share * span.duration_seconds
