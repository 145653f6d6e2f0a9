"""Divides a transcript into cues that can be read as subtitles.

No word is left out and none is moved; where times and reading speed conflict, the times are kept.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, zip_longest

from transcriber.spans import Segment
from transcriber.text.joining import join_texts
from transcriber.text.words import BreakQuality, Token, clusters, join_tokens, split_tokens

# The subtitling guides of Netflix and the BBC: two lines, of as many columns as a screen shows well.
MAX_LINE_COLUMNS = 42
MAX_LINES = 2
MAX_CUE_MS = 7_000
# A shorter cue is a flash (five sixths of a second, in the same guides).
MIN_CUE_MS = 833
# Two frames at 24 a second: without them, a viewer does not see that the words change. Gaps of 3 to 11 frames flicker,
# and are closed to two (Netflix, Timed Text Style Guide, general requirements).
MIN_GAP_MS = 84
CLOSED_GAP_MS = 500
# An adult reads 17 characters a second; a Chinese or Japanese character takes two columns, and twice as long.
READING_COLUMNS_A_SECOND = 17
# Faster than any speaker: such times are wrong, and the cues take the time after them.
MAX_SPEECH_COLUMNS_A_SECOND = 34
# A text this short is not divided because it is said slowly: it leaves the screen instead.
SHORT_COLUMNS = 24

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

_WIDTHLESS = frozenset({"Mn", "Me", "Cf"})
# All but white space, which separates words.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True)
class Cue:
    """The lines that are shown together, and their time in seconds from the recording's start, to the millisecond."""

    start_seconds: float
    end_seconds: float
    lines: tuple[str, ...]


def make_cues(segments: Iterable[Segment], *, end_seconds: float = 0.0) -> tuple[Cue, ...]:
    """The cues of `segments`, in order and without overlap; a segment without words has none.

    None stays longer than the recording, which ends at `end_seconds` where that is known.
    """
    cues: list[Cue] = []
    blocks = _blocks(segments)
    free_from_ms = 0
    for number, block in enumerate(blocks):
        next_start_ms = blocks[number + 1].start_ms if number + 1 < len(blocks) else float("inf")
        cues += _block_cues(block, free_from_ms, next_start_ms)
        free_from_ms = _milliseconds(cues[-1].end_seconds)
    return tuple(_with_gaps(cues, _milliseconds(end_seconds) or float("inf")))


def _with_gaps(cues: Sequence[Cue], recording_end_ms: float) -> Iterator[Cue]:
    """The cues with gaps between them that the eye sees, and none that only flicker."""
    starts_ms = [_milliseconds(cue.start_seconds) for cue in cues]
    for cue, start_ms, next_start_ms in zip_longest(cues, starts_ms, starts_ms[1:]):
        end_ms = _milliseconds(cue.end_seconds)
        if next_start_ms is None:
            end_ms = int(max(start_ms + 1, min(end_ms, recording_end_ms)))
        elif next_start_ms - end_ms < CLOSED_GAP_MS:
            end_ms = max(start_ms + 1, min(next_start_ms - MIN_GAP_MS, start_ms + MAX_CUE_MS))
        yield replace(cue, end_seconds=end_ms / 1000)


def cue_time(seconds: float, point: str) -> str:
    """A cue's time, with the decimal `point` of the format."""
    minutes, milliseconds = divmod(_milliseconds(seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass(frozen=True)
class _Block:
    """Words that share a span of time."""

    start_ms: int
    end_ms: int
    texts: tuple[str, ...]


def _blocks(segments: Iterable[Segment]) -> list[_Block]:
    """The segments with words, merged where one begins too soon after another to be shown on its own."""
    blocks: list[_Block] = []
    for segment in segments:
        text = _CONTROLS.sub("", segment.text).strip()
        if not text:
            continue
        start_ms = max(0, _milliseconds(segment.start_seconds))
        end_ms = max(start_ms, _milliseconds(segment.end_seconds))
        if blocks and start_ms < blocks[-1].start_ms + MIN_CUE_MS:
            last = blocks.pop()
            blocks.append(_Block(last.start_ms, max(last.end_ms, end_ms), (*last.texts, text)))
        else:
            blocks.append(_Block(start_ms, end_ms, (text,)))
    return blocks


def _block_cues(block: _Block, free_from_ms: int, next_start_ms: float) -> Iterator[Cue]:
    """The cues of a block, between the end of the block before and the start of the block after."""
    text = _Text.of(join_texts(block.texts))
    start_ms = max(block.start_ms, free_from_ms)
    end_ms = max(block.end_ms, start_ms + text.columns * 1000 // MAX_SPEECH_COLUMNS_A_SECOND)
    end_ms = int(min(end_ms, next_start_ms))
    parts = list(_divide(text, max(0, end_ms - start_ms)))
    end_ms = max(end_ms, start_ms + len(parts))
    cue_start_ms = start_ms
    for number, (first, last) in enumerate(parts, 1):
        columns = text.columns_of(first, last)
        reading_ms = max(MIN_CUE_MS, columns * 1000 // READING_COLUMNS_A_SECOND)
        if number == len(parts):
            next_ms = max(end_ms, int(min(cue_start_ms + reading_ms, next_start_ms)))
        else:
            share = text.ends_columns[last] / text.ends_columns[-1]
            evenly_ms = start_ms + round((end_ms - start_ms) * share)
            next_ms = min(max(evenly_ms, cue_start_ms + 1), end_ms - (len(parts) - number))
        cue_end_ms = min(next_ms, cue_start_ms + MAX_CUE_MS)
        yield Cue(cue_start_ms / 1000, cue_end_ms / 1000, tuple(_lines(text, first, last)))
        cue_start_ms = next_ms


@dataclass(frozen=True)
class _Text:
    """Tokens, and the columns that the first n of them take, spaces included."""

    words: Sequence[Token]
    ends_columns: Sequence[int]

    @classmethod
    def of(cls, text: str) -> "_Text":
        words = tuple(_fitting(split_tokens(text)))
        return cls(words, list(accumulate((_columns(word.text) + word.is_spaced for word in words), initial=0)))

    @property
    def columns(self) -> int:
        return self.columns_of(0, len(self.words))

    def columns_of(self, first: int, last: int) -> int:
        """The width of the tokens from `first` to before `last`."""
        return self.ends_columns[last] - self.ends_columns[first] - self.words[first].is_spaced

    def line_ends(self) -> list[int]:
        """For each token, the end of the longest line that begins with it."""
        return [
            bisect_right(self.ends_columns, self.ends_columns[first] + word.is_spaced + MAX_LINE_COLUMNS) - 1
            for first, word in enumerate(self.words)
        ]


def _divide(text: _Text, duration_ms: int) -> Iterator[tuple[int, int]]:
    """The tokens of each cue, from a first to before a last: the cheapest division (dynamic programming)."""
    count = len(text.words)
    line_ends = [*text.line_ends(), count]
    max_columns = max(SHORT_COLUMNS, text.columns * MAX_CUE_MS // max(duration_ms, 1))
    if line_ends[line_ends[0]] == count and text.columns <= max_columns:
        yield 0, count
        return
    full_columns = MAX_LINES * MAX_LINE_COLUMNS
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
    if text.columns_of(first, last) <= MAX_LINE_COLUMNS:
        yield join_tokens(text.words[first:last])
        return

    def cost(middle: int) -> float:
        upper, lower = text.columns_of(first, middle), text.columns_of(middle, last)
        return abs(upper - lower) / LINE_UNEVEN_COLUMNS + BREAK_COSTS[text.words[middle - 1].end]

    middles = (
        middle
        for middle in range(first + 1, last)
        if max(text.columns_of(first, middle), text.columns_of(middle, last)) <= MAX_LINE_COLUMNS
    )
    middle = min(middles, key=cost)
    yield join_tokens(text.words[first:middle])
    yield join_tokens(text.words[middle:last])


def _fitting(words: Iterable[Token]) -> Iterator[Token]:
    """The tokens; those that are wider than a line are divided."""
    for word in words:
        if len(word.text) <= MAX_LINE_COLUMNS // 2 or _columns(word.text) <= MAX_LINE_COLUMNS:
            yield word
            continue
        piece, is_spaced = "", word.is_spaced
        for cluster in clusters(word.text):
            if _columns(piece + cluster) > MAX_LINE_COLUMNS:
                yield Token(piece, is_spaced, BreakQuality.CHARACTER)
                piece, is_spaced = "", False
            piece += cluster
        yield Token(piece, is_spaced, word.end)


def _columns(text: str) -> int:
    """The columns of `text`: marks on a letter take none, an East Asian wide character two (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(map(_character_columns, text))


def _character_columns(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in _WIDTHLESS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
