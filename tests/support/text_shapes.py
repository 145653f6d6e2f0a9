"""Texts of any shape that JSON can bring: scripts, marks, runs, halves of surrogate pairs, nothing, a megabyte."""
# ruff: noqa: E501 # a table of pieces

import random
from collections.abc import Callable, Iterator
from typing import Final

MAX_CHARACTERS = 1_000_000
# Most answers are short; a few are as long as an answer may be.
SIZES: Final = ((40, 0, 3), (35, 3, 200), (18, 200, 5_000), (6, 5_000, 60_000), (1, 60_000, MAX_CHARACTERS))

# The first and last character of each script, or of something that is written among them.
RANGES: Final = {
    "ascii": (0x20, 0x7E),
    "latin": (0xC0, 0x24F),
    "greek": (0x370, 0x3FF),
    "cyrillic": (0x400, 0x4FF),
    "hebrew": (0x591, 0x5F4),
    "arabic": (0x600, 0x6FF),
    "devanagari": (0x900, 0x97F),
    "bengali": (0x980, 0x9FF),
    "tamil": (0xB80, 0xBFF),
    "thai": (0xE00, 0xE7F),
    "lao": (0xE80, 0xEFF),
    "tibetan": (0xF00, 0xFFF),
    "burmese": (0x1000, 0x109F),
    "georgian": (0x10A0, 0x10FF),
    "jamo": (0x1100, 0x11FF),
    "ethiopic": (0x1200, 0x137F),
    "khmer": (0x1780, 0x17FF),
    "mongolian": (0x1800, 0x18AF),
    "kana": (0x3041, 0x30FF),
    "han": (0x4E00, 0x9FFF),
    "hangul": (0xAC00, 0xD7A3),
    "half-width": (0xFF61, 0xFF9F),
    "full-width": (0xFF01, 0xFF5E),
    "han-rare": (0x20000, 0x2A6DF),
    "marks": (0x300, 0x36F),
    "more-marks": (0x1AB0, 0x1AFF),
    "spaces": (0x2000, 0x200F),
    "directions": (0x2028, 0x202E),
    "punctuation": (0x2010, 0x205E),
    "symbols": (0x2190, 0x2BFF),
    "joiners": (0x200B, 0x200D),
    "selectors": (0xFE00, 0xFE0F),
    "private": (0xE000, 0xF8FF),
    "controls": (0x00, 0x1F),
    "more-controls": (0x7F, 0x9F),
    "not-characters": (0xFFF0, 0xFFFF),
    "high-halves": (0xD800, 0xDBFF),
    "low-halves": (0xDC00, 0xDFFF),
    "emoji": (0x1F300, 0x1FAFF),
    "skin-tones": (0x1F3FB, 0x1F3FF),
    "flags": (0x1F1E6, 0x1F1FF),
    "tags": (0xE0000, 0xE007F),
    "musical": (0x1D100, 0x1D1FF),
    "last": (0x10FFF0, 0x10FFFF),
}
# What is known to be awkward in some step of the way.
PIECES: Final = (
    ".", "...", "…", "!?", "-->", "--", "\n", "\n\n", "\r\n", "\t", " ", "\u3000", "\u0e30", "\u0e40", "\u0e31", "\u200d",
    "👩\u200d👩\u200d👧", "🇫🇷", "e\u0301", "\ud83d", "\ude00", "\ufeff", "\x00", "\x1b[0m", "<b>", "</b>", "&amp;", "<v ", "{", "}",
    "[", "]", '"', "```", "```json\n", '{"text": "', "[00:01]", "00:00:01,000 --> 00:00:02,000\n", "1\n", "WEBVTT\n", "NOTE ",
    "Speaker 1: ", "Mr. ", "U.S. ", "No. 5 ", "a", "我", "の", "ก", "한", "1", "12", "Here is the transcription:\n", "<transcript>",
    "</transcript>", "<|en|>", "\\ud800", "(", ")", "“", "”", "*", "_", "# ", "- ", "x" * 50, "的" * 50, "า" * 70,
)  # fmt: skip


def texts(seed: int, count: int, *, max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """`count` texts of at most so many characters, the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 # the same texts each time
    shapes: tuple[Callable[[random.Random, int], str], ...] = (_run, _script, _pieces, _words, _lines, _mixture)
    weights = [weight for weight, _, _ in SIZES]
    for _ in range(count):
        ((_, least, most),) = dice.choices(SIZES, weights)
        most = min(most, max_characters)
        least = min(least, most)
        size = int(least * (most / max(least, 1)) ** dice.random()) if least else dice.randint(0, most)
        yield dice.choice(shapes)(dice, size)[:max_characters]


def _character(dice: random.Random, name: str | None = None) -> str:
    first, last = RANGES[name or dice.choice(list(RANGES))]
    return chr(dice.randint(first, last))


def _run(dice: random.Random, size: int) -> str:
    unit = "".join(dice.choice((_character(dice), dice.choice(PIECES))) for _ in range(dice.randint(1, 3)))
    return unit * (size // len(unit) + 1)


def _script(dice: random.Random, size: int) -> str:
    name = dice.choice(list(RANGES))
    return "".join(_character(dice, name) for _ in range(size))


def _pieces(dice: random.Random, size: int) -> str:
    return "".join(dice.choices(PIECES, k=size // 4 + 1))


def _words(dice: random.Random, size: int) -> str:
    name = dice.choice(list(RANGES))
    words = ["".join(_character(dice, name) for _ in range(dice.randint(1, 12))) for _ in range(20)]
    return " ".join(dice.choices([*words, *(f"{word}." for word in words[:5])], k=size // 8 + 1))


def _lines(dice: random.Random, size: int) -> str:
    line = _words(dice, min(size, 80))
    start = dice.choice(PIECES)
    return "\n".join(f"{start}{line}" for _ in range(size // (len(line) + 1) + 1))


def _mixture(dice: random.Random, size: int) -> str:
    parts = (dice.choice((_script, _pieces, _words, _run))(dice, size // 4 + 1) for _ in range(4))
    return "".join(parts)
