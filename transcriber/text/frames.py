"""Removes the frame that a model puts around the lines of a transcript: stamps, labels of speakers, cues of subtitles.

Only where each line has one, so that it is certain to be the model's: a speaker who says a time does so once.
"""

import re

_STAMP = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_CUE_TIMES = re.compile(rf"{_STAMP} ?--> ?{_STAMP}(?: .*)?")
_STAMPED = re.compile(rf"(?:\[{_STAMP}(?: ?(?:-|–|-->) ?{_STAMP})?\]|\({_STAMP}\)|{_STAMP} ?(?:-|–|:)(?= ))\s*")  # noqa: RUF001 # a dash
_LABELLED = re.compile(
    r"\**(?:speaker|sprecher|locuteur|hablante|orador|parlante) ?[0-9A-Z]{1,2}\**:\**\s*", re.IGNORECASE
)
# One line alone may be a speaker's.
MIN_LINES = 2


def strip_frames(text: str) -> str:
    """`text` without the frame of its lines; the same text where they have none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    framed = _without_cues(lines)
    if framed is None:
        framed = lines
        for pattern in (_STAMPED, _LABELLED, _STAMPED):
            framed = _without(pattern, framed)
    return text if framed == lines else "\n".join(line for line in framed if line)


def _without(pattern: re.Pattern[str], lines: list[str]) -> list[str]:
    """The lines without what `pattern` matches at their starts, if it does so in each."""
    matches = [pattern.match(line) for line in lines]
    if len(lines) < MIN_LINES or not all(matches):
        return lines
    return [line[match.end() :] for line, match in zip(lines, matches, strict=True) if match]


def _without_cues(lines: list[str]) -> list[str] | None:
    """The lines of SRT or WebVTT without numbers and times; None for anything else."""
    if not lines:
        return None
    if lines[0] == "WEBVTT":
        lines = lines[1:]
    times = [number for number, line in enumerate(lines) if _CUE_TIMES.fullmatch(line)]
    if not times or times[0] > 1:
        return None
    frame = set(times) | {number - 1 for number in times if number and lines[number - 1].isdigit()}
    return [line for number, line in enumerate(lines) if number not in frame]
