"""Words: what a line may end after, in scripts with spaces and without, and how good a place that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.words import Break, clusters, join_words, split_words


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
    assert [word.text for word in split_words(text)] == words


@given(st.text() | st.text("你好。，「」ab ไท่ก"))  # noqa: RUF001 # marks of many scripts
def test_nothing_is_lost(text: str) -> None:
    """Words joined are the text, with single spaces."""
    assert join_words(split_words(text)) == " ".join(text.split())
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize("character", ["é", "👍🏽", "👩‍👩‍👧", "🇫🇷", "ที่", "ក្ក", "한"])
def test_character_is_not_divided(character: str) -> None:
    """What is read as one character is one, with its marks, colour and parts."""
    assert list(clusters(character * 2)) == [character, character]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("No. Then", Break.SENTENCE),
        ('No." Then', Break.SENTENCE),
        ("No! Then", Break.SENTENCE),
        ("Oh! he said", Break.CLAUSE),
        ("Well... perhaps", Break.CLAUSE),
        ("Well… Then", Break.SENTENCE),
        ("no, then", Break.CLAUSE),
        ("man. he", Break.CLAUSE),
        ("no then", Break.WORD),
        ("Mr. Smith", Break.WORD),
        ("(Dr. Smith)", Break.WORD),
        ("No. 5", Break.WORD),
        ("J. Smith", Break.WORD),
        ("e.g. this", Break.WORD),
        ("U.S.", Break.SENTENCE),
        ("I. Then", Break.SENTENCE),
        ("好。他", Break.SENTENCE),
        ("你好", Break.CHARACTER),
        ("好，他", Break.CLAUSE),  # noqa: RUF001 # a Chinese comma
        ("है। वह", Break.SENTENCE),
        ("ہے۔ وہ", Break.SENTENCE),  # noqa: RUF001 # an Urdu full stop
    ],
)
def test_end(text: str, end: Break) -> None:
    """Punctuation tells how good a break is, and abbreviations and what goes on tell otherwise."""
    assert split_words(text)[0].end is end
