"""Gives words times by where there is speech, for an API that gives none.

The pauses of the recording are matched with the ends of words so that each stretch of speech gets about as many letters
as it lasts, and pauses fall on punctuation. It never listens to the audio: a sentence is right to within a second, and
text without punctuation to within seconds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest

from transcriber.spans import Segment, Span
from transcriber.text.words import BreakQuality, Token, join_tokens, split_tokens

# A digit is read as a word, a character of Chinese or Japanese as a syllable or two; both in letters.
LETTERS_A_DIGIT = 4
LETTERS_AN_IDEOGRAPH = 3
_FIRST_IDEOGRAPH = "\u2e80"

# Nothing is said in less.
MIN_SPAN_SECONDS = 0.001
# How far speech may run ahead of an even pace or fall behind it: a few minutes of slower sentences do that.
BAND_SECONDS = 20.0
# A way that has cost so much more than the cheapest is not followed: nothing that comes makes up for it.
MAX_COST_BEHIND = 30.0
# Nobody speaks so fast, even in characters: such a text is a model's invention, and would take long to match.
MAX_WORDS_A_SECOND = 12
# No stretch is said more than this much faster than the whole; and a short one may hold a long word.
MAX_PACE = 2.2
MAX_PACE_SLACK_SECONDS = 0.8
# How much a length differs from what its letters tell: a sentence's, as its pace does; a stretch's within its sentence,
# and any, besides. These and the costs below are what put most borders right in simulated speech.
PACE_DEVIATION = 0.18
STRETCH_DEVIATION = 0.08
LENGTH_DEVIATION_SECONDS = 0.1

# What it costs to have a pause after a word, in the units of a squared deviation: sentences end in pauses, clauses may.
PAUSE_COSTS = {
    BreakQuality.SENTENCE: 0.0,
    BreakQuality.CLAUSE: 2.0,
    BreakQuality.WORD: 3.0,
    BreakQuality.CHARACTER: 3.0,
}
# The longer it is, the less it is in mid-sentence; from here on it is as long as it matters.
LONG_PAUSE_SECONDS = 1.5
LONG_PAUSE_FACTOR = 5.0
# What it costs to have no pause there.
NO_PAUSE_COSTS = {
    BreakQuality.SENTENCE: 10.0,
    BreakQuality.CLAUSE: 0.3,
    BreakQuality.WORD: 0.0,
    BreakQuality.CHARACTER: 0.0,
}

# A segment ends with its sentence; without punctuation, at the first pause after what a subtitle may stand.
LONG_SEGMENT_SECONDS = 7.0
# A pause as long as this ends one, too: models write commas between sentences that a speaker parted.
SEGMENT_PAUSES_SECONDS = {BreakQuality.CLAUSE: 0.4, BreakQuality.WORD: 1.0, BreakQuality.CHARACTER: 1.0}


def align(text: str, speech: Sequence[Span], *, max_seconds: float) -> tuple[Segment, ...]:
    """The words of `text` as segments that end with their sentences, in order and without overlap.

    `speech` are the spans with sound, in order and apart, from 0 to `max_seconds` at most; without any, that is one.
    """
    words = split_tokens(text)
    if not words:
        return ()
    spans = [span for span in speech if span.duration_seconds >= MIN_SPAN_SECONDS] or [Span(0.0, max_seconds)]
    if spans[0].duration_seconds <= 0:
        return (Segment(0.0, 0.0, join_tokens(words)),)
    spoken = _Pace.of(words, sum(span.duration_seconds for span in spans))
    is_speech = len(words) <= MAX_WORDS_A_SECOND * spoken.ends_seconds[-1]
    borders = _match(spoken, spans) if is_speech else _share_out(spoken, spans)
    return tuple(_segments(spoken, spans, borders))


@dataclass(frozen=True)
class _Pace:
    """Words, and what is known of them when the first so many are said.

    `ends_seconds` is how long they take at an even pace, pauses left out, and `skipped_costs` what it costs if none of
    their sentences and clauses ended in a pause.
    """

    words: Sequence[Token]
    ends_seconds: Sequence[float]
    skipped_costs: Sequence[float]

    @classmethod
    def of(cls, words: Sequence[Token], seconds: float) -> "_Pace":
        letters = list(accumulate(map(_letters, words), initial=0))
        return cls(
            words,
            ends_seconds=[count * seconds / letters[-1] for count in letters],
            skipped_costs=list(accumulate((NO_PAUSE_COSTS[word.end] for word in words), initial=0.0)),
        )


@dataclass(frozen=True)
class _SpeechSpan:
    """A span, the pause after it, and between which words it may end."""

    seconds: float
    pause_seconds: float
    spoken_seconds: float  # from the recording's start to the stretch's end, pauses left out
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Path:
    """What it costs to have said so many words, and when their last sentence began: by its letters, and truly."""

    cost: float
    sentence_start_seconds: float
    sentence_spoken_seconds: float


def _letters(word: Token) -> int:
    text = word.text
    if text.isascii() and text.isalpha():
        return len(text) + 1
    return 1 + sum(
        LETTERS_A_DIGIT if character.isdigit() else LETTERS_AN_IDEOGRAPH if character >= _FIRST_IDEOGRAPH else 1
        for character in text
        if character.isalnum()
    )


def _match(spoken: _Pace, spans: Sequence[Span]) -> list[int]:
    """How many words are said by the end of each span.

    The cheapest way through the table of spans and words (dynamic programming), of which only the part near an even
    pace is filled in, and only from where the cheapest ways are.
    """
    ways = {0: _Path(cost=0.0, sentence_start_seconds=0.0, sentence_spoken_seconds=0.0)}
    origins: list[dict[int, int]] = []
    for stretch in _speech_spans(spoken, spans):
        cheapest = min(way.cost for way in ways.values()) + MAX_COST_BEHIND
        ways = {position: way for position, way in ways.items() if way.cost <= cheapest}
        costs, origin = _step(spoken, stretch, ways)
        ways = {end: _next_path(spoken, stretch, ways[origin[end]], end, cost) for end, cost in costs.items()}
        origins.append(origin)
    position = len(spoken.words)
    borders = []
    for origin in reversed(origins):
        borders.append(position)
        position = origin[position]
    return borders[::-1]


def _share_out(spoken: _Pace, spans: Sequence[Span]) -> list[int]:
    """How many words are said by the end of each span, at an even pace."""
    *spoken_seconds, _ = accumulate(span.duration_seconds for span in spans)
    return [*(bisect_left(spoken.ends_seconds, seconds) for seconds in spoken_seconds), len(spoken.words)]


def _speech_spans(spoken: _Pace, spans: Sequence[Span]) -> Iterator[_SpeechSpan]:
    count = len(spoken.words)
    spoken_seconds = 0.0
    for span, following in zip_longest(spans, spans[1:]):
        spoken_seconds += span.duration_seconds
        if following is None:
            yield _SpeechSpan(span.duration_seconds, 0.0, spoken_seconds, count, count)
            return
        yield _SpeechSpan(
            span.duration_seconds,
            following.start_seconds - span.end_seconds,
            spoken_seconds,
            bisect_left(spoken.ends_seconds, spoken_seconds - BAND_SECONDS),
            min(bisect_right(spoken.ends_seconds, spoken_seconds + BAND_SECONDS), count),
        )


def _step(spoken: _Pace, stretch: _SpeechSpan, ways: Mapping[int, _Path]) -> tuple[dict[int, float], dict[int, int]]:
    """The least cost of having said so many words by the end of the stretch, and how many were said before it."""
    ends, skipped = spoken.ends_seconds, spoken.skipped_costs
    costs: dict[int, float] = {}
    origin: dict[int, int] = {}
    stretch_weight = _weight(STRETCH_DEVIATION, stretch.seconds)
    for start, way in ways.items():
        sentence_seconds = stretch.spoken_seconds - way.sentence_spoken_seconds
        sentence_weight = _weight(PACE_DEVIATION, sentence_seconds)
        share = stretch.seconds / sentence_seconds
        base = way.cost - skipped[start]
        # However long a word is, there is a way on.
        first = max(stretch.first, start)
        fitting = bisect_right(ends, ends[start] + MAX_PACE * stretch.seconds + MAX_PACE_SLACK_SECONDS)
        for end in range(first, min(max(fitting, first + 1, start + 2), stretch.last + 1)):
            letters_seconds = ends[end] - way.sentence_start_seconds
            off_pace = letters_seconds - sentence_seconds
            off_share = ends[end] - ends[start] - letters_seconds * share
            # The end of the last word has its pause, and is not skipped.
            cost = base + skipped[max(start, end - 1)]
            cost += off_pace * off_pace * sentence_weight + off_share * off_share * stretch_weight
            if end not in costs or cost < costs[end]:
                costs[end] = cost
                origin[end] = start
    return costs, origin


def _next_path(spoken: _Pace, stretch: _SpeechSpan, way: _Path, end: int, cost: float) -> _Path:
    """The way after the pause that follows the stretch."""
    place = spoken.words[end - 1].end if end else BreakQuality.SENTENCE
    if place is BreakQuality.SENTENCE:
        return _Path(cost, spoken.ends_seconds[end], stretch.spoken_seconds)
    # The sentence goes on: its pace is known when it is over, and paid for then.
    sentence_seconds = stretch.spoken_seconds - way.sentence_spoken_seconds
    off_pace = spoken.ends_seconds[end] - way.sentence_start_seconds - sentence_seconds
    cost -= off_pace * off_pace * _weight(PACE_DEVIATION, sentence_seconds)
    length = min(stretch.pause_seconds / LONG_PAUSE_SECONDS, 1.0)
    cost += PAUSE_COSTS[place] * (1.0 + (LONG_PAUSE_FACTOR - 1.0) * length)
    return _Path(cost, way.sentence_start_seconds, way.sentence_spoken_seconds)


def _weight(deviation: float, seconds: float) -> float:
    """What a second's difference costs, where `seconds` are known to differ by `deviation` of them."""
    return 1.0 / ((deviation * seconds) ** 2 + LENGTH_DEVIATION_SECONDS**2)


def _segments(spoken: _Pace, spans: Sequence[Span], borders: Sequence[int]) -> Iterator[Segment]:
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
            place = spoken.words[end - 1].end
            is_over = place is BreakQuality.SENTENCE or (
                end == last
                and (
                    pause_seconds >= SEGMENT_PAUSES_SECONDS[place]
                    or end_seconds - start_seconds >= LONG_SEGMENT_SECONDS
                )
            )
            if is_over or end == len(spoken.words):
                yield Segment(start_seconds, end_seconds, join_tokens(spoken.words[segment_start:end]))
                segment_start = end


def _time(spoken: _Pace, span: Span, first: int, last: int, position: int) -> float:
    """When, in `span`, the words before `position` have been said; it holds those from `first` to before `last`."""
    ends = spoken.ends_seconds
    if position == last:
        return span.end_seconds
    share = (ends[position] - ends[first]) / (ends[last] - ends[first])
    return span.start_seconds + share * span.duration_seconds
