"""The checker of subtitles finds each breach of the rules, and passes what keeps them."""

import pytest
from support.subtitle_rules import read_cues, violations

GOOD = """1
00:00:01,000 --> 00:00:03,000
Call me Ishmael.

2
00:00:03,084 --> 00:00:05,000
Some years ago,
never mind how long,

3
00:00:05,500 --> 00:00:06,334
I went to sea.
"""


def test_good_file_passes() -> None:
    """A file within all rules has no violation, as SRT and as WebVTT."""
    assert violations(GOOD, "en", 7) == []
    assert violations("WEBVTT\n\nNOTE a warning\n\n" + GOOD.replace(",000", ".000"), "en", 7) == []
    assert len(read_cues(GOOD)) == 3


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("00:00:03,084", "00:00:03,080", "1.92 frames"),
        ("00:00:03,084", "00:00:03,200", "a gap of 4.8 frames"),
        ("00:00:05,500", "00:00:05,450", "a gap of 10.8 frames"),
        ("00:00:06,334", "00:00:06,330", "shorter than 5/6 s"),
        ("00:00:06,334", "00:00:13,000", "longer than 7 s"),
        ("00:00:06,334", "00:00:07,001", "after the recording's end"),
        ("Some years ago,\n", "Some\nyears ago,\n", "3 lines"),
        ("I went to sea.", "I went to sea at last, and that was all.", "characters a second, and 666 ms left"),
        ("Some years ago,", "Some years ago, as far as I remember today,", "43 characters in a line"),
        ("I went to sea.", " I went to sea.", "white space"),
    ],
)
def test_each_breach_is_found(good: str, bad: str, said: str) -> None:
    """Each rule that is broken is named."""
    assert said in " ".join(violations(GOOD.replace(good, bad), "en", 7))


@pytest.mark.parametrize(
    ("language", "line", "is_wide"),
    [
        ("ja", "あ" * 13, False),
        ("ja", "あ" * 14, True),
        ("zh", "你" * 16, False),
        ("zh", "你" * 15 + "ab", False),
        ("zh", "你" * 16 + "a", True),
        ("ko", "가 나 " * 5 + "가", False),
        ("ko", "가" * 17, True),
        ("th", "กี่" * 35, False),
        ("th", "ก" * 36, True),
        ("de", "a" * 42, False),
        ("de", "a" * 43, True),
    ],
)
def test_width_is_that_of_the_language(language: str, line: str, is_wide: bool) -> None:  # noqa: FBT001
    """Lines are as wide as the language's guide allows; Latin letters and spaces are half a character in three."""
    found = violations(f"1\n00:00:00,000 --> 00:00:07,000\n{line}\n", language, 7)
    assert any("in a line" in each for each in found) == is_wide
