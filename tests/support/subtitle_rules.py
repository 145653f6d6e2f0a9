"""Checks a subtitle file against Netflix's Timed Text Style Guides and the BBC's Subtitle Guidelines.

Written from the guides, and without any of the function's code: it reads the file as a player does, and counts for
itself. Times are those of 24 frames a second, at which a frame is longest.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

FRAME_MS = 1000 / 24
# Netflix, Characters Per Line and Reading Speed (adult programmes).
CHARACTERS_A_LINE = {"ja": 13, "zh": 16, "ko": 16, "th": 35}
CHARACTERS_A_SECOND = {"en": 20, "ar": 20, "hi": 22, "ja": 4, "ko": 12, "zh": 9}
OTHER_CHARACTERS_A_LINE, OTHER_CHARACTERS_A_SECOND = 42, 17
# "Latin characters, spaces, punctuation count as 0.5 character" in these.
HALF_WIDTH = {"ja", "zh", "ko"}

_TIMES = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)[,.](\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)[,.](\d{3})")


@dataclass(frozen=True)
class Shown:
    """A cue as it is read: times in milliseconds."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return (self.end_ms - self.start_ms) / 1000


def read_cues(file: str) -> list[Shown]:
    """The cues of an SRT or WebVTT file."""
    cues = []
    for block in re.split(r"\n{2,}", file.strip("\n")) if file.strip("\n") else ():
        lines = block.split("\n")
        times = next((number for number, line in enumerate(lines[:2]) if _TIMES.fullmatch(line)), None)
        if times is None:
            assert lines[0].startswith(("WEBVTT", "NOTE")), f"neither cue nor comment: {block[:80]!r}"
            continue
        match = _TIMES.fullmatch(lines[times])
        assert match is not None
        fields = [int(field or 0) for field in match.groups()]
        start, end = (
            ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
            for hours, minutes, seconds, milliseconds in (fields[:4], fields[4:])
        )
        texts = map(html.unescape, lines[times + 1 :]) if file.startswith("WEBVTT") else lines[times + 1 :]
        cues.append(Shown(start, end, tuple(texts)))
    return cues


def violations(file: str, language: str, duration_seconds: float) -> list[str]:
    """What is against the rules in `file`, for a recording in `language` (ISO 639-1) of this length."""
    return list(_violations(read_cues(file), language, round(duration_seconds * 1000)))


def _violations(cues: list[Shown], language: str, duration_ms: int) -> Iterator[str]:
    for cue in cues:
        yield from _of_lines(cue, language)
        if cue.seconds > 7:
            yield f"longer than 7 s: {cue}"
        if cue.seconds < 5 / 6 and duration_ms > 5000 / 6:
            yield f"shorter than 5/6 s: {cue}"
    yield from _of_gaps(cues)
    yield from _of_speed(cues, language, duration_ms)
    if cues and cues[-1].end_ms > duration_ms:
        yield f"after the recording's end: {cues[-1]}"


def _of_lines(cue: Shown, language: str) -> Iterator[str]:
    if not 1 <= len(cue.lines) <= 2:
        yield f"{len(cue.lines)} lines: {cue}"
    for line in cue.lines:
        if not line.strip() or line != line.strip():
            yield f"white space: {cue}"
        if width(line, language) > CHARACTERS_A_LINE.get(language, OTHER_CHARACTERS_A_LINE):
            yield f"{width(line, language):g} characters in a line: {cue}"


def _of_gaps(cues: list[Shown]) -> Iterator[str]:
    for before, after in pairwise(cues):
        frames = (after.start_ms - before.end_ms) / FRAME_MS
        if frames < 2:
            yield f"{frames:.2f} frames between {before} and {after}"
        if 2.5 <= frames < 11.5:
            yield f"a gap of {frames:.1f} frames between {before} and {after}"


def _of_speed(cues: list[Shown], language: str, duration_ms: int) -> Iterator[str]:
    characters_a_second = CHARACTERS_A_SECOND.get(language, OTHER_CHARACTERS_A_SECOND)
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        speed = sum(width(line, language) for line in cue.lines) / cue.seconds
        room_ms = (following.start_ms if following else duration_ms) - cue.end_ms
        # A speaker may be faster than a reader: then all the time there is has to be used.
        if speed > characters_a_second * 1.01 and room_ms > 2.5 * FRAME_MS:
            yield f"{speed:.1f} characters a second, and {room_ms} ms left: {cue}"


def width(line: str, language: str) -> float:
    """The characters of `line` as the language's guide counts them."""
    characters = [each for each in unicodedata.normalize("NFC", line) if unicodedata.category(each) != "Cf"]
    if language in HALF_WIDTH:
        return sum(1.0 if unicodedata.east_asian_width(each) in "WF" else 0.5 for each in characters)
    if language == "th":
        return float(sum(unicodedata.category(each) != "Mn" for each in characters))
    return float(len(characters))
