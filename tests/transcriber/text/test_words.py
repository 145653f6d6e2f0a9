"""Words: what a line may end after, in scripts with spaces and without, and how good a place that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.text.words import BreakQuality, clusters, join_tokens, split_tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ask  not\nwhat", ["ask", "not", "what"]),
        ("我们去Beijing，好吗？", ["我", "们", "去", "Beijing，", "好", "吗？"]),  # noqa: RUF001 # Chinese marks
        ("他说：「好。」", ["他", "说：", "「好。」"]),  # noqa: RUF001 # the same
        ("ちょっと待って", ["ちょっ", "と", "待っ", "て"]),
        ("がくせい", ["が", "く", "せ", "い"]),
        ("ไปที่นี่", ["ไป", "ที่", "นี่"]),
        ("안녕 여러분", ["안녕", "여러분"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """Spaces part words; without them each character is one, with its marks and punctuation."""
    assert [word.text for word in split_tokens(text)] == words


@given(st.text() | st.text("你好。，「」ab ไท่ก"))  # noqa: RUF001 # marks of many scripts
def test_nothing_is_lost(text: str) -> None:
    """Words joined are the text, with single spaces."""
    assert join_tokens(split_tokens(text)) == " ".join(text.split())
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize("character", ["é", "👍🏽", "👩‍👩‍👧", "🇫🇷", "ที่", "ក្ក", "한"])
def test_character_is_not_divided(character: str) -> None:
    """What is read as one character is one, with its marks, colour and parts."""
    assert list(clusters(character * 2)) == [character, character]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("No. Then", BreakQuality.SENTENCE),
        ('No." Then', BreakQuality.SENTENCE),
        ("No! Then", BreakQuality.SENTENCE),
        ("Oh! he said", BreakQuality.CLAUSE),
        ("Well... perhaps", BreakQuality.CLAUSE),
        ("Well… Then", BreakQuality.SENTENCE),
        ("no, then", BreakQuality.CLAUSE),
        ("man. he", BreakQuality.CLAUSE),
        ("no then", BreakQuality.WORD),
        ("Mr. Smith", BreakQuality.WORD),
        ("(Dr. Smith)", BreakQuality.WORD),
        ("No. 5", BreakQuality.WORD),
        ("J. Smith", BreakQuality.WORD),
        ("e.g. this", BreakQuality.WORD),
        ("U.S.", BreakQuality.SENTENCE),
        ("I. Then", BreakQuality.SENTENCE),
        ("好。他", BreakQuality.SENTENCE),
        ("你好", BreakQuality.CHARACTER),
        ("好，他", BreakQuality.CLAUSE),  # noqa: RUF001 # a Chinese comma
        ("है। वह", BreakQuality.SENTENCE),
        ("ہے۔ وہ", BreakQuality.SENTENCE),  # noqa: RUF001 # an Urdu full stop
    ],
)
def test_end(text: str, end: BreakQuality) -> None:
    """Punctuation tells how good a break is, and abbreviations and what goes on tell otherwise."""
    assert split_tokens(text)[0].end is end


@pytest.mark.parametrize("run", ["เ", "\u1160", "\u0301", "\u17d2", "\u200d", "👩\u200d"])
def test_run_without_a_break_is_broken(run: str) -> None:
    """No letter has more than thirty marks: a longer run is several, so that a line holds each."""
    parts = list(clusters(run * 500))
    assert "".join(parts) == run * 500
    assert max(map(len, parts)) <= 31


@pytest.mark.parametrize("end", ["/", "x", "-", ".", '"'])
def test_runs_of_marks_take_no_time_by_their_square(end: str) -> None:
    """A megabyte of stops, commas or closing quotes is rated at once; the test's time limit is the measure."""
    for mark in (".", ",", '"', '."', "…"):
        (token,) = split_tokens(mark * (1_000_000 // len(mark)) + end)
        assert len(token.text) >= 1_000_000 // len(mark)
