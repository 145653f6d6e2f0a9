"""Divides a transcript into cues that can be read as subtitles.

No word is left out and none is moved; where times and reading speed conflict, the times are kept.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, zip_longest

from transcriber.spans import Segment
from transcriber.text.joining import join_texts
from transcriber.text.reading_rules import ReadingRules, reading_rules
from transcriber.text.words import BreakQuality, Token, clusters, join_tokens, split_tokens

# The subtitling guides of Netflix and the BBC: two lines. How wide, and how fast, depends on the language.
MAX_LINES = 2
MAX_CUE_MS = 7_000
# A shorter cue is a flash (five sixths of a second, in the same guides).
MIN_CUE_MS = 834
# Two frames at 24 a second: without them, a viewer does not see that the words change. Gaps of 3 to 11 frames flicker,
# and are closed to two (Netflix, Timed Text Style Guide, general requirements).
MIN_GAP_MS = 84
CLOSED_GAP_MS = 500
# From the start of a cue to the next one's, at least.
MIN_STEP_MS = MIN_CUE_MS + MIN_GAP_MS
# Faster than any speaker: such times are wrong, and the cues take the time after them.
MAX_SPEECH_COLUMNS_A_SECOND = 34
# A text this short is not divided because it is said slowly: it leaves the screen instead.
SHORT_COLUMNS = 24

# Letters of some scripts have three marks; more characters than these are a run of marks, which is divided, too.
MAX_CHARACTERS_A_COLUMN = 4

# The cost of ending a cue or a line there; 1 is about the cost of a word's distance from an even division.
BREAK_COSTS = {
    BreakQuality.SENTENCE: 0.0,
    BreakQuality.CLAUSE: 1.0,
    BreakQuality.WORD: 5.0,
    BreakQuality.CHARACTER: 6.0,
}
# One cue more is worse than any break.
CUE_COST = 10.0
UNEVEN_COST = 4.0
LINE_UNEVEN_COLUMNS = 4

# All but white space, which separates words.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True)
class Cue:
    """The lines that are shown together, and their time in seconds from the recording's start, to the millisecond."""

    start_seconds: float
    end_seconds: float
    lines: tuple[str, ...]


def make_cues(segments: Iterable[Segment], *, end_seconds: float = 0.0, language: str | None = None) -> tuple[Cue, ...]:
    """The cues of `segments`, in order and without overlap; a segment without words has none.

    None stays longer than the recording, which ends at `end_seconds` where that is known. `language`, a code or a name,
    decides with the script of the words how much of them is shown at once.
    """
    segments = tuple(segments)
    rules = reading_rules(language, (segment.text for segment in segments))
    recording_end_ms = _milliseconds(end_seconds) or float("inf")
    cues: list[Cue] = []
    blocks = _blocks(segments, rules, recording_end_ms)
    free_from_ms = 0
    for number, block in enumerate(blocks):
        next_start_ms = blocks[number + 1].start_ms if number + 1 < len(blocks) else recording_end_ms
        cues += _block_cues(block, free_from_ms, next_start_ms, rules)
        free_from_ms = _milliseconds(cues[-1].end_seconds)
    return tuple(_with_gaps(cues, recording_end_ms))


def _with_gaps(cues: Sequence[Cue], recording_end_ms: float) -> Iterator[Cue]:
    """The cues with gaps between them that the eye sees, and none that only flicker."""
    starts_ms = [_milliseconds(cue.start_seconds) for cue in cues]
    for cue, start_ms, next_start_ms in zip_longest(cues, starts_ms, starts_ms[1:]):
        end_ms = _milliseconds(cue.end_seconds)
        if next_start_ms is None:
            end_ms = int(max(start_ms + 1, min(end_ms, recording_end_ms)))
        elif next_start_ms - end_ms < CLOSED_GAP_MS:
            closed_ms = next_start_ms - MIN_GAP_MS
            # One that may not stay as long goes earlier instead.
            end_ms = closed_ms if closed_ms <= start_ms + MAX_CUE_MS else next_start_ms - CLOSED_GAP_MS
            end_ms = max(start_ms + 1, end_ms)
        yield replace(cue, end_seconds=end_ms / 1000)


def cue_time(seconds: float, point: str) -> str:
    """A cue's time, with the decimal `point` of the format."""
    minutes, milliseconds = divmod(_milliseconds(seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass
class _Block:
    """Words that share a span of time, and their width; it grows while blocks are made."""

    start_ms: int
    end_ms: int
    texts: list[str]
    columns: int

    def add(self, other: "_Block") -> None:
        """Append a later block."""
        self.end_ms = max(self.end_ms, other.end_ms)
        self.texts += other.texts
        self.columns += 1 + other.columns

    def has_room_before(self, start_ms: int, rules: ReadingRules) -> bool:
        """Whether its cues can be seen before the time of the next one."""
        cues = -(-self.columns // (MAX_LINES * rules.line_columns))
        return self.start_ms + cues * MIN_STEP_MS <= start_ms


def _blocks(segments: Iterable[Segment], rules: ReadingRules, recording_end_ms: float) -> list[_Block]:
    """The segments with words, merged where one begins too soon after another to be shown on its own."""
    blocks: list[_Block] = []
    for segment in segments:
        text = _CONTROLS.sub("", segment.text).strip()
        if not text:
            continue
        start_ms = max(0, _milliseconds(segment.start_seconds))
        block = _Block(start_ms, max(start_ms, _milliseconds(segment.end_seconds)), [text], rules.columns(text))
        if blocks and not blocks[-1].has_room_before(start_ms, rules):
            blocks[-1].add(block)
        else:
            blocks.append(block)
    if blocks and blocks[-1].start_ms > recording_end_ms - MIN_CUE_MS:
        # The last words are shown a little early rather than for an instant.
        blocks[-1].start_ms = max(0, int(recording_end_ms) - MIN_CUE_MS)
        while len(blocks) > 1 and not blocks[-2].has_room_before(blocks[-1].start_ms, rules):
            last = blocks.pop()
            blocks[-1].add(last)
    return blocks


def _block_cues(block: _Block, free_from_ms: int, next_start_ms: float, rules: ReadingRules) -> Iterator[Cue]:
    """The cues of a block, between the end of the block before and the start of the block after."""
    text = _Text.of(join_texts(block.texts), rules)
    start_ms = max(block.start_ms, free_from_ms)
    end_ms = max(block.end_ms, start_ms + text.columns * 1000 // MAX_SPEECH_COLUMNS_A_SECOND)
    end_ms = int(min(end_ms, next_start_ms))
    parts = list(_divide(text, max(0, end_ms - start_ms)))
    end_ms = max(end_ms, start_ms + len(parts), int(min(start_ms + len(parts) * MIN_STEP_MS, next_start_ms)))
    step_ms = min(MIN_STEP_MS, (end_ms - start_ms) // len(parts))
    cue_start_ms = start_ms
    for number, (first, last) in enumerate(parts, 1):
        columns = text.columns_of(first, last)
        reading_ms = max(MIN_CUE_MS, -(-columns * 1000 // rules.columns_a_second))
        if number == len(parts):
            next_ms = max(end_ms, int(min(cue_start_ms + reading_ms, next_start_ms)))
        else:
            share = text.ends_columns[last] / text.ends_columns[-1]
            evenly_ms = start_ms + round((end_ms - start_ms) * share)
            next_ms = min(max(evenly_ms, cue_start_ms + step_ms), end_ms - (len(parts) - number) * step_ms)
        cue_end_ms = min(next_ms, cue_start_ms + MAX_CUE_MS)
        yield Cue(cue_start_ms / 1000, cue_end_ms / 1000, tuple(_lines(text, first, last)))
        cue_start_ms = next_ms


@dataclass(frozen=True)
class _Text:
    """Tokens, and the columns that the first n of them take, spaces included."""

    words: Sequence[Token]
    ends_columns: Sequence[int]
    rules: ReadingRules

    @classmethod
    def of(cls, text: str, rules: ReadingRules) -> "_Text":
        words = tuple(_fitting(split_tokens(text), rules))
        ends_columns = accumulate((_token_columns(word.text, rules) + word.is_spaced for word in words), initial=0)
        return cls(words, list(ends_columns), rules)

    @property
    def columns(self) -> int:
        return self.columns_of(0, len(self.words))

    def columns_of(self, first: int, last: int) -> int:
        """The width of the tokens from `first` to before `last`."""
        return self.ends_columns[last] - self.ends_columns[first] - self.words[first].is_spaced

    def line_ends(self) -> list[int]:
        """For each token, the end of the longest line that begins with it; one that is too wide is a line itself."""
        line_columns = self.rules.line_columns
        return [
            max(
                first + 1, bisect_right(self.ends_columns, self.ends_columns[first] + word.is_spaced + line_columns) - 1
            )
            for first, word in enumerate(self.words)
        ]


def _divide(text: _Text, duration_ms: int) -> Iterator[tuple[int, int]]:
    """The tokens of each cue, from a first to before a last: the cheapest division (dynamic programming)."""
    count = len(text.words)
    line_ends = [*text.line_ends(), count]
    max_columns = max(min(SHORT_COLUMNS, text.rules.line_columns), text.columns * MAX_CUE_MS // max(duration_ms, 1))
    if line_ends[line_ends[0]] == count and text.columns <= max_columns:
        yield 0, count
        return
    full_columns = MAX_LINES * text.rules.line_columns
    costs = [0.0] + [float("inf")] * count
    starts = [0] * (count + 1)
    break_costs = [BREAK_COSTS[word.end] for word in text.words]
    break_costs[-1] = 0.0
    ends_columns = text.ends_columns
    for first in range(count):
        cost = costs[first] + CUE_COST
        before = ends_columns[first] + text.words[first].is_spaced
        stop = min(line_ends[line_ends[first]], max(bisect_right(ends_columns, before + max_columns) - 1, first + 1))
        for last in range(first + 1, stop + 1):
            empty = 1 - (ends_columns[last] - before) / full_columns
            total = cost + break_costs[last - 1] + UNEVEN_COST * empty * empty
            if total < costs[last]:
                costs[last] = total
                starts[last] = first
    parts = []
    last = count
    while last:
        parts.append((starts[last], last))
        last = starts[last]
    yield from reversed(parts)


def _lines(text: _Text, first: int, last: int) -> Iterator[str]:
    """One line if it holds everything, or two of about the same width."""
    line_columns = text.rules.line_columns
    if text.columns_of(first, last) <= line_columns or last - first == 1:
        yield join_tokens(text.words[first:last])
        return

    def cost(middle: int) -> tuple[bool, float]:
        upper, lower = text.columns_of(first, middle), text.columns_of(middle, last)
        uneven = abs(upper - lower) / LINE_UNEVEN_COLUMNS
        return max(upper, lower) > line_columns, uneven + BREAK_COSTS[text.words[middle - 1].end]

    middle = min(range(first + 1, last), key=cost)
    yield join_tokens(text.words[first:middle])
    yield join_tokens(text.words[middle:last])


def _fitting(words: Iterable[Token], rules: ReadingRules) -> Iterator[Token]:
    """The tokens; those that are wider than a line are divided."""
    for word in words:
        if len(word.text) <= rules.line_columns // 2 or _token_columns(word.text, rules) <= rules.line_columns:
            yield word
            continue
        pieces: list[str] = []
        columns, is_spaced = 0, word.is_spaced
        for cluster in clusters(word.text):
            cluster_columns = max(1, rules.columns(cluster))
            if pieces and columns + cluster_columns > rules.line_columns:
                yield Token("".join(pieces), is_spaced, BreakQuality.CHARACTER)
                pieces, columns, is_spaced = [], 0, False
            pieces.append(cluster)
            columns += cluster_columns
        yield Token("".join(pieces), is_spaced, word.end)


def _token_columns(text: str, rules: ReadingRules) -> int:
    """The width of a token; marks without a letter have none, but any number of them would be in a line."""
    if len(text) <= rules.line_columns * MAX_CHARACTERS_A_COLUMN:
        return max(1, rules.columns(text))
    return sum(max(1, rules.columns(cluster)) for cluster in clusters(text))
