"""Splits text into tokens, for scripts with and without spaces, and rates the end of each as a place to break.

It works on characters alone, without a dictionary or a language. So a script without spaces is split between its
characters, but never inside a grapheme cluster (UAX #29), nor before a mark that cannot begin a line (JIS X 4051).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

# Thai, Lao, Tibetan, Burmese, Khmer, then Chinese and Japanese with their punctuation. Korean has spaces.
SPACELESS = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"
    "\u2e80-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff9f"
    "\U00016fe0-\U00018aff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_SPACELESS = re.compile(f"[{SPACELESS}]")

_SENTENCE_MARKS = ".!?…。！？．｡।॥؟۔။។"
_CLAUSE_MARKS = ",;:—–、，；：､،؛၊"
_CLOSERS = "\"'”’»›)]}」』）】》〉*_"

# A stop after these never ends a sentence: titles, which a name follows, and "for example".
_ABBREVIATIONS = re.compile(
    r"(?:mrs?|ms|dr|prof|st|rev|gen|col|capt|lt|sgt|gov|mmes?|mlle|mgr|hr|fr|frl|nr|sra?|srta|dra|sig|dott|vs|cf|bzw|approx)\.",
    re.IGNORECASE,
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_NUMBER_SIGN = re.compile(r"(?:no|nos|art|p|pp|n|núm|num)\.", re.IGNORECASE)

# Small kana, the long vowel and iteration marks: JIS X 4051 has no line begin with them.
_NEVER_FIRST = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾｧｨｩｪｫｬｭｮｯｰ\u0e2f\u0e46\u0ec6")
# Written before their consonant, said after it.
_THAI_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")
_THAI_TRAILING_VOWELS = frozenset("ะาำๅະາຳ")
# After these the next consonant is written below, as part of the same character.
_STACKERS = frozenset("\u17d2\u1039\u200d")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]")
_HANGUL_TAILS = re.compile("[\u1160-\u11ff]")


# UAX #15 has texts with more marks on a letter broken (30, the Stream-Safe Text Format): such a run is no letter.
MAX_CLUSTER_CHARACTERS = 31
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})
_OPENERS = frozenset({"Ps", "Pi"})
_OPENING_QUOTES = "\"'“‘«„([{"


class BreakQuality(IntEnum):
    """How good a place to break the end of a token is; higher is better."""

    CHARACTER = 0  # no space follows: the script has none
    WORD = 1
    CLAUSE = 2
    SENTENCE = 3


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a character of a script without spaces, with its punctuation."""

    text: str
    is_spaced: bool  # whether a space stands before it
    end: BreakQuality


def split_tokens(text: str) -> tuple[Token, ...]:
    """The tokens of `text`, in order; only white space is left out."""
    units = [(unit, not number) for token in text.split() for number, unit in enumerate(_units(token))]
    following = [*units, ("", True)][1:]
    return tuple(
        Token(unit, is_spaced, _end(unit, next_unit, is_next_spaced))
        for (unit, is_spaced), (next_unit, is_next_spaced) in zip(units, following, strict=True)
    )


def join_tokens(words: Iterable[Token]) -> str:
    """The text of the tokens, with single spaces where it had any white space."""
    return "".join(f" {word.text}" if word.is_spaced else word.text for word in words).strip()


def clusters(text: str) -> Iterator[str]:
    """The grapheme clusters of `text`, in order: a letter with its marks, an emoji with its colour."""
    start = 0
    for position in range(1, len(text)):
        length = position - start
        if length >= MAX_CLUSTER_CHARACTERS or not _continues(text[position - 1], text[position], length):
            yield text[start:position]
            start = position
    if text:
        yield text[start:]


def _units(token: str) -> Iterator[str]:
    """The parts of a text without white space after which a line may end."""
    if token.isascii() or not _SPACELESS.search(token):
        yield token
        return
    unit = previous = ""
    for cluster in clusters(token):
        if unit and _may_break(previous, cluster):
            yield unit
            unit = ""
        unit += cluster
        previous = cluster
    yield unit


def _may_break(before: str, after: str) -> bool:
    """Whether a line may end between two clusters."""
    if not (_SPACELESS.match(before) or _SPACELESS.match(after)):
        return False
    is_opener = unicodedata.category(before[0]) in _OPENERS
    return not is_opener and after[0] not in _NEVER_FIRST and not _trails(after[0])


def _trails(character: str) -> bool:
    """Whether it is punctuation that belongs to the character before it."""
    category = unicodedata.category(character)
    return category[0] == "P" and category not in _OPENERS


def _continues(before: str, after: str, length: int) -> bool:
    """Whether the character `after` belongs to the cluster of this `length` that `before` ends."""
    if after.isascii():
        return False
    return (
        unicodedata.category(after) in _MARKS
        or before in _STACKERS
        or before in _THAI_LEADING_VOWELS
        or after in _THAI_TRAILING_VOWELS
        or bool(_SKIN_TONES.match(after) or _HANGUL_TAILS.match(after))
        or (length == 1 and bool(_FLAG_LETTERS.match(before) and _FLAG_LETTERS.match(after)))
    )


def _end(unit: str, following: str, is_following_spaced: bool) -> BreakQuality:  # noqa: FBT001 # one of a token's two fields
    """The quality of a break after `unit`, given the unit after it."""
    # Most words end in a letter, which is cheaper to check than the patterns.
    if unit[-1].isalnum():
        return BreakQuality.WORD if is_following_spaced else BreakQuality.CHARACTER
    # No patterns here: over a run of marks that ends in something else, they take time by its square.
    open_unit = unit.rstrip(_CLOSERS)
    without_marks = open_unit.rstrip(_SENTENCE_MARKS)
    if len(without_marks) < len(open_unit):
        marks = open_unit[len(without_marks) :]
        if marks[0] == "." and _is_abbreviation(f"{without_marks}.", following):
            return BreakQuality.CLAUSE if marks.startswith("..") else BreakQuality.WORD
        # "Oh! he said", "well… perhaps", "etc. and"; models also begin sentences like that.
        return BreakQuality.CLAUSE if following[:1].islower() else BreakQuality.SENTENCE
    if open_unit[-1:] and open_unit[-1] in _CLAUSE_MARKS:
        return BreakQuality.CLAUSE
    return BreakQuality.WORD if is_following_spaced else BreakQuality.CHARACTER


def _is_abbreviation(unit: str, following: str) -> bool:
    """Whether the stop at the end of `unit` belongs to an abbreviation or an initial."""
    word = unit.lstrip(_OPENING_QUOTES)
    return (
        bool(_ABBREVIATIONS.fullmatch(word))
        # "I." ends a sentence more often than it is part of a name; so does "U.S." at the end of the text.
        or (word != "I." and bool(following) and bool(_INITIALS.fullmatch(word)))
        or (following[:1].isdigit() and bool(_NUMBER_SIGN.fullmatch(word)))
    )
