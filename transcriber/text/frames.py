"""Removes the frame that a model puts around the lines of a transcript: stamps, labels of speakers, cues of subtitles.

Only where it is certain to be the model's: each line has one, or several stand where no speaker's words would be
written that way. A speaker who says a time, or "speaker one", does so once, without brackets, and within a sentence.
"""
# ruff: noqa: RUF001 # dashes, and words of many scripts, are what this is about

import re
from functools import cache
from itertools import pairwise
from typing import Final

_STAMP = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_SECONDS = r"\d{1,5}(?:\.\d{1,3})?s?"
_TO = r" ?(?:-->|->|-|–|—|→|to) ?"
# In brackets, as spoken words never are: `[00:01]`, `[0:00:01.5 - 0:00:03]`, `[0.0s -> 2.5s]`, `<00:01>`.
_BRACKETED: Final = (
    rf"\[ ?(?:{_STAMP}(?:{_TO}{_STAMP})?|{_SECONDS}{_TO}{_SECONDS}|\d{{1,5}}\.\d{{1,3}}s?) ?\]"
    rf"|<{_STAMP}(?:{_TO}{_STAMP})?>"
)
_ARROW = rf"{_STAMP} ?--> ?{_STAMP}"
_CUE_TIMES = re.compile(rf"{_ARROW}(?: .*)?")
_INLINE_CUE = re.compile(rf"(?:(?<!\S)\d{{1,5}}\s+)?{_ARROW}(?=\s|$)")
_BRACKETED_STAMP = re.compile(rf"(?:\*\*)?(?:{_BRACKETED})(?:\*\*)?:?\s*")
_STAMPED = re.compile(
    rf"(?:\*\*)?(?:{_BRACKETED}|\({_STAMP}(?:{_TO}{_STAMP})?\)|{_STAMP} ?(?:-|–|:)(?= ))(?:\*\*)?:?\s*"
)
_FIRST_TIME = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})")
# Tokens of a model's own that servers forget to leave out: `<|en|>`, `<|0.00|>`, `<|endoftext|>`.
_SPECIAL_TOKEN = re.compile(r"<\|[^|<>\s]{0,40}\|>")
_VOICE_TAG = re.compile(r"</?(?:v|c|i|b|u|lang|ruby|rt)(?:[. ][^<>\n]{0,80})?>")
_VTT_BLOCKS = ("NOTE", "STYLE", "REGION")

_SPEAKERS: Final = (
    "speaker|voice|person|participant|sprecher(?:in)?|person|teilnehmer|locuteur|locutrice|intervenant|interlocuteur"
    "|hablante|orador|locutor|interlocutor|falante|parlante|relatore|spreker|talare|taler|puhuja|mówca|mluvčí"
    "|говорящий|спикер|диктор|спікер|ομιλητής|konuşmacı|المتحدث|متحدث|דובר|वक्ता|ผู้พูด|người nói|pembicara"
    "|说话人|說話人|发言人|發言人|讲话者|スピーカー|話者|발화자|화자"
)
_ROLES: Final = (
    "interviewer|interviewee|host|co-?host|guest|narrator|moderator|presenter|announcer|caller|man|woman|male|female"
    "|male (?:voice|speaker)|female (?:voice|speaker)|unknown(?: speaker)?|interviewerin|interviewter|erzähler"
    "|intervieweur|présentateur|narrateur|animateur|entrevistador|entrevistado|presentador|narrador|intervistatore"
)
# One line alone may be a speaker's.
MIN_LINES = 2
# A chunk's first words are said in its first minute.
LATEST_START_SECONDS = 60


@cache
def _labels() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Labels with a number, and those as well as roles, at the start of a line."""
    numbered = rf"(?:{_SPEAKERS})[ _#-]{{0,2}}(?:[0-9０-９]{{1,2}}|[A-Z])(?![^\W_])"
    either = rf"(?:{numbered}|(?:{_ROLES})(?: ?[0-9A-Z]{{1,2}})?)"
    note = r"(?: ?\([^()\n]{1,30}\))?"

    def at_start(label: str) -> re.Pattern[str]:
        return re.compile(
            rf"(?:[-–—•] )?[*_]{{0,3}}[\[(<]?{label}{note}[\])>]?[*_]{{0,3}} ?[:：][*_]{{0,3}}\s*", re.IGNORECASE
        )

    return at_start(numbered), at_start(either)


def strip_frames(text: str) -> str:
    """`text` without the frame of its lines; the same text where they have none."""
    unframed = _SPECIAL_TOKEN.sub("", text) if "<|" in text else text
    lines = [line.strip() for line in unframed.splitlines() if line.strip()]
    framed = _without_cues(lines)
    if framed is None:
        framed = lines
        for _ in range(2):  # a stamp before a label, or after it
            framed = _without_stamps(framed)
            framed = _without_labels(framed)
    if framed == lines and unframed == text:
        return text
    return "\n".join(line for line in framed if line)


def has_labels(text: str) -> bool:
    """Whether a line of `text` begins with the label of a speaker."""
    numbered, _ = _labels()
    return any(numbered.match(line.strip()) for line in text.splitlines())


def has_stamps(text: str) -> bool:
    """Whether there is a stamp in brackets in `text`, or at the start of several lines."""
    if _BRACKETED_STAMP.search(text):
        return True
    return sum(bool(_STAMPED.match(line.strip())) for line in text.splitlines()) >= MIN_LINES


def _without_stamps(lines: list[str]) -> list[str]:
    each = _without(_STAMPED, lines)
    if each is not lines:
        return each if all(map(_BRACKETED_STAMP.match, lines)) or _are_of_a_transcript(lines) else lines
    if not lines or not _BRACKETED_STAMP.match(lines[0]):
        return lines
    if len(lines) == 1 and len(_BRACKETED_STAMP.findall(lines[0])) == 1:
        return [_BRACKETED_STAMP.sub("", lines[0])]
    stamps = [match[0] for line in lines for match in _BRACKETED_STAMP.finditer(line)]
    if len(stamps) < MIN_LINES or not _is_in_order(stamps):
        return lines
    return [" ".join(_BRACKETED_STAMP.sub(" ", line).split()) for line in lines]


def _are_of_a_transcript(stamps: list[str]) -> bool:
    """Whether times without brackets are those of a transcript: of a timetable, or of verses, people speak as well."""
    first = _times(stamps[:1])
    return bool(first) and first[0] <= LATEST_START_SECONDS and _is_in_order(stamps)


def _is_in_order(stamps: list[str]) -> bool:
    """Whether the times of the stamps never go back, as those of a transcript do not."""
    return all(before <= after for before, after in pairwise(_times(stamps)))


def _times(stamps: list[str]) -> list[int]:
    """The first time of each stamp, in seconds."""
    matches = [match for stamp in stamps if (match := _FIRST_TIME.search(stamp))]
    fields = ([int(field or 0) for field in match.groups()] for match in matches)
    return [(hours * 60 + minutes) * 60 + seconds for hours, minutes, seconds in fields]


def _without_labels(lines: list[str]) -> list[str]:
    numbered, either = _labels()
    each = _without(either, lines)
    if each is not lines or not lines or not numbered.match(lines[0]):
        return each
    # A speaker's turn may have several lines, of which the first has the label.
    if sum(bool(numbered.match(line)) for line in lines) < MIN_LINES:
        return lines
    return [numbered.sub("", line, count=1) if numbered.match(line) else line for line in lines]


def _without(pattern: re.Pattern[str], lines: list[str]) -> list[str]:
    """The lines without what `pattern` matches at their starts, if it does so in each; the very list otherwise."""
    matches = [pattern.match(line) for line in lines]
    if len(lines) < MIN_LINES or not all(matches):
        return lines
    return [line[match.end() :] for line, match in zip(lines, matches, strict=True) if match]


def _without_cues(lines: list[str]) -> list[str] | None:
    """The lines of SRT or WebVTT without numbers and times; None for anything else."""
    if not lines:
        return None
    is_vtt = lines[0].split(maxsplit=1)[0] == "WEBVTT"
    if is_vtt:
        lines = lines[1:]
    times = [number for number, line in enumerate(lines) if _CUE_TIMES.fullmatch(line)]
    if times and (is_vtt or times[0] <= 1):
        frame = set(times) | {number - 1 for number in times if number and lines[number - 1].isdigit()}
        # What comes before the first cue of a WebVTT file is its head.
        first = times[0] if is_vtt else 0
        rest = [line for number, line in enumerate(lines) if number >= first and number not in frame]
        return [_VOICE_TAG.sub("", line).strip() for line in rest if not line.startswith(_VTT_BLOCKS) or not is_vtt]
    if lines and (match := _INLINE_CUE.match(lines[0])) and match.end() < len(lines[0]):
        return [" ".join(_INLINE_CUE.sub(" ", line).split()) for line in lines]
    return None
