"""Joins the texts of consecutive chunks into one.

Chunks do not overlap, so no word is removed: one that was said twice is there twice.
"""

import re
import unicodedata
from collections.abc import Iterable

from transcriber.text.words import SPACELESS

_SPACELESS = re.compile(f"[{SPACELESS}]")
# Quotes, stops and emoji belong to no script; up to this many characters are searched for a letter that does.
_EDGE_CHARACTERS = 16
# Chinese and Japanese punctuation is as wide as a letter and has its space within itself.
_WIDE_MARK = re.compile("[\u3001-\u303f\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")


def join_texts(texts: Iterable[str]) -> str:
    """The `texts` in order, with a space between two of them where their script has spaces."""
    return join_and_divide(texts)[0]


def join_and_divide(texts: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """The same, and the places in it where each of the `texts` ends; empty ones have none."""
    pieces: list[str] = []
    ends: list[int] = []
    length = 0
    for text in filter(None, map(str.strip, texts)):
        space = " " if pieces and not _joins_without_space(pieces[-1], text) else ""
        pieces += [space, text]
        length += len(space) + len(text)
        ends.append(length)
    return "".join(pieces), tuple(ends)


def _joins_without_space(before: str, after: str) -> bool:
    if _WIDE_MARK.match(before[-1]) or _WIDE_MARK.match(after[0]):
        return True
    return _is_spaceless(before[: -_EDGE_CHARACTERS - 1 : -1]) and _is_spaceless(after[:_EDGE_CHARACTERS])


def _is_spaceless(edge: str) -> bool:
    """Whether the first letter or number of `edge`, or a mark on it, is of a script without spaces."""
    for character in edge:
        if _SPACELESS.match(character):
            return True
        if unicodedata.category(character)[0] in "LN":
            return False
    return False
