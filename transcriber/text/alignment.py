"""Aligns words with speech, for an API that gives no times.

The pauses of the recording are matched with the ends of words so that each span of speech gets letters in proportion to
its length, and pauses fall on punctuation. The audio itself is not examined: a sentence is right to within a second,
and text without punctuation to within seconds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest

from transcriber.spans import Segment, Span
from transcriber.text.words import BreakQuality, Token, join_tokens, split_tokens

# A digit is read as a word, a character of Chinese or Japanese as a syllable or two; both are counted in letters.
LETTERS_A_DIGIT = 4
LETTERS_AN_IDEOGRAPH = 3
_FIRST_IDEOGRAPH = "\u2e80"

# No word is said in less.
MIN_SPAN_SECONDS = 0.001
# Band width: how far speech may be ahead of an even pace or behind it, as after a few minutes of slower sentences; in
# long texts it may be further, by this share of their length.
BAND_SECONDS = 20.0
BAND_SHARE = 0.033
# Beam width: paths worse than the best by more than this are pruned; nothing later makes up for it.
MAX_COST_BEHIND = 30.0
# Faster than any speaker, even in characters: such a text is a model's invention, and would take long to match.
MAX_WORDS_A_SECOND = 12
# A span is said at most this much faster than the whole; and a short one may hold a long word.
MAX_PACE = 2.2
MAX_PACE_SLACK_SECONDS = 0.8
# Standard deviations of a length from the one that its letters predict: of a sentence, relative, as its pace varies; of
# a span within its sentence, relative; and of both, absolute. These and the costs below are the ones that put most
# borders right in simulated speech.
PACE_DEVIATION = 0.18
SPAN_DEVIATION = 0.08
LENGTH_DEVIATION_SECONDS = 0.1

# The cost of a pause after a word, in units of a squared deviation: sentences end in pauses, clauses may.
PAUSE_COSTS = {
    BreakQuality.SENTENCE: 0.0,
    BreakQuality.CLAUSE: 2.0,
    BreakQuality.WORD: 3.0,
    BreakQuality.CHARACTER: 3.0,
}
# The longer a pause, the less likely it is within a sentence; beyond this length it makes no difference.
LONG_PAUSE_SECONDS = 1.5
LONG_PAUSE_FACTOR = 5.0
# The cost of no pause after a word.
NO_PAUSE_COSTS = {
    BreakQuality.SENTENCE: 10.0,
    BreakQuality.CLAUSE: 0.3,
    BreakQuality.WORD: 0.0,
    BreakQuality.CHARACTER: 0.0,
}

# A segment ends with its sentence; without punctuation, at the first pause after the longest time of a subtitle.
LONG_SEGMENT_SECONDS = 7.0
# A pause of this length ends a segment, too: models write commas between sentences that a speaker separated.
SEGMENT_PAUSES_SECONDS = {BreakQuality.CLAUSE: 0.4, BreakQuality.WORD: 1.0, BreakQuality.CHARACTER: 1.0}


def align(text: str, speech: Sequence[Span], *, max_seconds: float) -> tuple[Segment, ...]:
    """The words of `text` as segments that end with their sentences, in order and without overlap.

    `speech` are the spans with sound, in order and apart, from 0 to `max_seconds` at most; without any, all of it
    counts.
    """
    words = split_tokens(text)
    if not words:
        return ()
    spans = [span for span in speech if span.duration_seconds >= MIN_SPAN_SECONDS] or [Span(0.0, max_seconds)]
    if spans[0].duration_seconds <= 0:
        return (Segment(0.0, 0.0, join_tokens(words)),)
    pace = _Pace.of(words, sum(span.duration_seconds for span in spans))
    is_speech = len(words) <= MAX_WORDS_A_SECOND * pace.ends_seconds[-1]
    borders = _match(pace, spans) if is_speech else _share_out(pace, spans)
    return tuple(_segments(pace, spans, borders))


@dataclass(frozen=True)
class _Pace:
    """Words at an even pace; both sequences have one entry for each number of words, from none to all.

    `ends_seconds` is how long that many words take, pauses left out, and `skipped_costs` the cost if none of their
    sentences and clauses ends in a pause.
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
    """A span of speech, the pause after it, and the range of words after which it may end."""

    seconds: float
    pause_seconds: float
    spoken_seconds: float  # from the recording's start to the span's end, pauses left out
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Path:
    """The cost of a path, and when its current sentence began: by its letters, and in the recording."""

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


def _match(pace: _Pace, spans: Sequence[Span]) -> list[int]:
    """The number of words that are said by the end of each span.

    The cheapest path through the table of spans and words (dynamic programming), restricted to a band around an even
    pace, and to a beam of the best paths.
    """
    paths = {0: _Path(cost=0.0, sentence_start_seconds=0.0, sentence_spoken_seconds=0.0)}
    origins: list[dict[int, int]] = []
    for speech_span in _speech_spans(pace, spans):
        cheapest = min(path.cost for path in paths.values()) + MAX_COST_BEHIND
        paths = {position: path for position, path in paths.items() if path.cost <= cheapest}
        costs, origin = _step(pace, speech_span, paths)
        paths = {end: _next_path(pace, speech_span, paths[origin[end]], end, cost) for end, cost in costs.items()}
        origins.append(origin)
    position = len(pace.words)
    borders = []
    for origin in reversed(origins):
        borders.append(position)
        position = origin[position]
    return borders[::-1]


def _share_out(pace: _Pace, spans: Sequence[Span]) -> list[int]:
    """The number of words that are said by the end of each span, at an even pace."""
    *spoken_seconds, _ = accumulate(span.duration_seconds for span in spans)
    return [*(bisect_left(pace.ends_seconds, seconds) for seconds in spoken_seconds), len(pace.words)]


def _speech_spans(pace: _Pace, spans: Sequence[Span]) -> Iterator[_SpeechSpan]:
    count = len(pace.words)
    band_seconds = max(BAND_SECONDS, BAND_SHARE * pace.ends_seconds[-1])
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
            bisect_left(pace.ends_seconds, spoken_seconds - band_seconds),
            min(bisect_right(pace.ends_seconds, spoken_seconds + band_seconds), count),
        )


def _step(pace: _Pace, speech_span: _SpeechSpan, paths: Mapping[int, _Path]) -> tuple[dict[int, float], dict[int, int]]:
    """For each number of words at the end of the span: the least cost, and the number of words before the span."""
    ends, skipped = pace.ends_seconds, pace.skipped_costs
    costs: dict[int, float] = {}
    origin: dict[int, int] = {}
    span_weight = _weight(SPAN_DEVIATION, speech_span.seconds)
    for start, path in paths.items():
        sentence_seconds = speech_span.spoken_seconds - path.sentence_spoken_seconds
        sentence_weight = _weight(PACE_DEVIATION, sentence_seconds)
        share = speech_span.seconds / sentence_seconds
        due_seconds = path.sentence_start_seconds + sentence_seconds
        start_seconds = ends[start] - path.sentence_start_seconds * share
        base = path.cost - skipped[start]
        # However long a word is, there is a next step.
        first = max(speech_span.first, start)
        fitting = bisect_right(ends, ends[start] + MAX_PACE * speech_span.seconds + MAX_PACE_SLACK_SECONDS)
        last = min(max(fitting, first + 1, start + 2), speech_span.last + 1)
        # The last word ends in a pause, and is not skipped.
        before_last = skipped[max(start, first - 1) : last - 1]
        if first == start:
            before_last = [skipped[start], *before_last]
        for end, end_seconds, skipped_cost in zip(range(first, last), ends[first:last], before_last, strict=False):
            off_pace = end_seconds - due_seconds
            off_share = end_seconds - start_seconds - end_seconds * share
            cost = base + skipped_cost + off_pace * off_pace * sentence_weight + off_share * off_share * span_weight
            if end not in costs or cost < costs[end]:
                costs[end] = cost
                origin[end] = start
    return costs, origin


def _next_path(pace: _Pace, speech_span: _SpeechSpan, path: _Path, end: int, cost: float) -> _Path:
    """The path after the pause that follows the span."""
    place = pace.words[end - 1].end if end else BreakQuality.SENTENCE
    if place is BreakQuality.SENTENCE:
        return _Path(cost, pace.ends_seconds[end], speech_span.spoken_seconds)
    # The sentence goes on: its pace is known, and counted, when it is over.
    sentence_seconds = speech_span.spoken_seconds - path.sentence_spoken_seconds
    off_pace = pace.ends_seconds[end] - path.sentence_start_seconds - sentence_seconds
    cost -= off_pace * off_pace * _weight(PACE_DEVIATION, sentence_seconds)
    length = min(speech_span.pause_seconds / LONG_PAUSE_SECONDS, 1.0)
    cost += PAUSE_COSTS[place] * (1.0 + (LONG_PAUSE_FACTOR - 1.0) * length)
    return _Path(cost, path.sentence_start_seconds, path.sentence_spoken_seconds)


def _weight(deviation: float, seconds: float) -> float:
    """The cost of a squared second of difference, for a length of `seconds` with this relative deviation."""
    return 1.0 / ((deviation * seconds) ** 2 + LENGTH_DEVIATION_SECONDS**2)


def _segments(pace: _Pace, spans: Sequence[Span], borders: Sequence[int]) -> Iterator[Segment]:
    """Segments of the words; the n-th span holds those before `borders[n]` that no earlier one holds."""
    segment_start = 0
    start_seconds = 0.0
    for number, (first, last) in enumerate(pairwise([0, *borders])):
        span = spans[number]
        pause_seconds = spans[number + 1].start_seconds - span.end_seconds if number + 1 < len(spans) else 0.0
        for end in range(first + 1, last + 1):
            if segment_start == end - 1:
                start_seconds = _time(pace, span, first, last, end - 1)
            end_seconds = _time(pace, span, first, last, end)
            place = pace.words[end - 1].end
            is_over = place is BreakQuality.SENTENCE or (
                end == last
                and (
                    pause_seconds >= SEGMENT_PAUSES_SECONDS[place]
                    or end_seconds - start_seconds >= LONG_SEGMENT_SECONDS
                )
            )
            if is_over or end == len(pace.words):
                yield Segment(start_seconds, end_seconds, join_tokens(pace.words[segment_start:end]))
                segment_start = end


def _time(pace: _Pace, span: Span, first: int, last: int, position: int) -> float:
    """The time in `span` at which the words before `position` have been said; it holds those from `first` to `last`."""
    ends = pace.ends_seconds
    if position == last:
        return span.end_seconds
    share = (ends[position] - ends[first]) / (ends[last] - ends[first])
    return span.start_seconds + share * span.duration_seconds
