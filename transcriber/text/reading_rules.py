"""How wide a line of subtitles may be, and how fast it may be shown, by language.

The figures are those of Netflix's Timed Text Style Guides for adult programmes (section "Character Limitation" and
"Reading Speed" of each language's guide; General Requirements for the rest). The BBC's guidelines ask for less of each
line (37 characters) and for 160 to 180 words a minute, which is about the same speed.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_WIDTHLESS = frozenset({"Mn", "Me", "Cf"})
# Indic vowel signs: the guides count characters, and exempt marks in Thai alone.
_FIRST_INDIC, _LAST_INDIC = "\u0900", "\u0dff"
_NO_MARKS_BELOW = "\u0300"


@dataclass(frozen=True)
class ReadingRules:
    """Columns in a line, and columns a second; a full-width character has two columns, and a mark on a letter none.

    With `has_wide_marks`, quotes and dashes are as wide as a Chinese character, as fonts of these languages have them.
    """

    line_columns: int = 42
    columns_a_second: int = 17
    has_wide_marks: bool = False

    def columns(self, text: str) -> int:
        """The columns of `text`."""
        if text.isascii():
            return len(text)
        return sum(map(self._character_columns, text))

    def _character_columns(self, character: str) -> int:
        if character < _NO_MARKS_BELOW and not self.has_wide_marks:
            return 1
        category = unicodedata.category(character)
        if category in _WIDTHLESS:
            return 1 if category == "Mn" and _FIRST_INDIC <= character <= _LAST_INDIC else 0
        width = unicodedata.east_asian_width(character)
        if width in {"W", "F"} or (width == "A" and self.has_wide_marks and category[0] in "PS"):
            return 2
        return 1


# 42 characters a line, 17 a second: all languages but those below, and a language that is not known.
DEFAULT: Final = ReadingRules()
# Of the languages below, the guides count full-width characters: each has two columns here.
_CHINESE: Final = ReadingRules(line_columns=2 * 16, columns_a_second=2 * 9, has_wide_marks=True)
_JAPANESE: Final = ReadingRules(line_columns=2 * 13, columns_a_second=2 * 4, has_wide_marks=True)
_KOREAN: Final = ReadingRules(line_columns=2 * 16, columns_a_second=2 * 12, has_wide_marks=True)
_THAI: Final = ReadingRules(line_columns=35)
_BY_LANGUAGE: Final[Mapping[str, ReadingRules]] = {
    "en": ReadingRules(columns_a_second=20),
    "ar": ReadingRules(columns_a_second=20),
    "hi": ReadingRules(columns_a_second=22),
    "th": _THAI,
    "ko": _KOREAN,
    "zh": _CHINESE,
    "yue": _CHINESE,
    "ja": _JAPANESE,
}
# As the Audio Transcriptions API names them.
_CODES: Final[Mapping[str, str]] = {
    "english": "en",
    "arabic": "ar",
    "hindi": "hi",
    "thai": "th",
    "korean": "ko",
    "chinese": "zh",
    "mandarin": "zh",
    "cantonese": "yue",
    "japanese": "ja",
}
# A text with this share of its letters in a script is read as one of the script: such letters hold more than others.
_LEAST_SHARE = 0.2
# Japanese has more kana than kanji; a Chinese text may cite some.
_LEAST_KANA_SHARE = 0.1


def reading_rules(language: str | None, texts: Iterable[str]) -> ReadingRules:
    """The rules for `texts` in `language` (a code, or a name), which may be wrong, or not known."""
    code = (language or "").strip().lower()
    code = _CODES.get(code, code.replace("_", "-").partition("-")[0])
    return _rules_of_script(code, texts) or _BY_LANGUAGE.get(code, DEFAULT)


def _rules_of_script(code: str, texts: Iterable[str]) -> ReadingRules | None:
    """The rules that the script of `texts` alone requires; None for one that many languages share."""
    characters: Counter[str] = Counter()
    for text in texts:
        if not text.isascii():
            characters.update(text)
        else:
            characters["a"] += len(text)  # letters, for the most part
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        if character.isalpha():
            scripts[_script(character)] += count
    han, kana = scripts["han"], scripts["kana"]
    sizes = {"cjk": han + kana, "hangul": scripts["hangul"], "thai": scripts["thai"]}
    script = max(sizes, key=lambda each: sizes[each])
    if not sizes[script] or sizes[script] < _LEAST_SHARE * scripts.total():
        return None
    if script == "cjk":
        return _JAPANESE if code == "ja" or kana >= _LEAST_KANA_SHARE * sizes[script] else _CHINESE
    return _KOREAN if script == "hangul" else _THAI


def _script(character: str) -> str:
    if character < "\u0e00":
        return ""
    if character <= "\u0e7f":
        return "thai"
    if "\u3041" <= character <= "\u30ff" or "\uff66" <= character <= "\uff9d":
        return "kana"
    if "\uac00" <= character <= "\ud7a3" or "\u1100" <= character <= "\u11ff":
        return "hangul"
    is_han = "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"
    return "han" if is_han else ""
