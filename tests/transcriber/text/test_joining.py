"""Joining: a space where the script has spaces, and never a word less or more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.text.joining import join_texts


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("ask not", "what your", "ask not what your"),
        ("Es ist so.", "Ja.", "Es ist so. Ja."),
        ("no, no,", "no", "no, no, no"),
        ("안녕하세요", "여러분", "안녕하세요 여러분"),
        ("שלום", "עולם", "שלום עולם"),
        ("नमस्ते।", "आप", "नमस्ते। आप"),
        ("我们去", "北京", "我们去北京"),
        ("你好。", "我叫李明。", "你好。我叫李明。"),
        ("他说“好”", "然后走了", "他说“好”然后走了"),
        ("好!", "走吧", "好!走吧"),
        ("これは", "ペンです", "これはペンです"),
        ("そうです。", "「はい」", "そうです。「はい」"),
        ("ｶﾀｶﾅ", "です", "ｶﾀｶﾅです"),
        ("สวัสดี", "ครับ", "สวัสดีครับ"),
        ("สบายดี", "ไหม", "สบายดีไหม"),
        ("ສະບາຍ", "ດີ", "ສະບາຍດີ"),
        ("សួស្តី", "អ្នក", "សួស្តីអ្នក"),
        ("မင်္ဂလာ", "ပါ", "မင်္ဂလာပါ"),
        ("使用", "Python", "使用 Python"),
        ("Hello", "你好", "Hello 你好"),
        ("OK。", "Good", "OK。Good"),
        ("great 👍", "and", "great 👍 and"),
        ("👍", "👍", "👍 👍"),
        ("很好👍", "谢谢", "很好👍谢谢"),
    ],
)
def test_space_stands_where_the_script_has_one(before: str, after: str, joined: str) -> None:
    """What stands on both sides of a cut decides, marks and emoji aside."""
    assert join_texts([before, after]) == joined


@given(st.lists(st.text()))
def test_no_character_is_lost_or_doubled(texts: list[str]) -> None:
    """Spaces aside, the whole is the texts in order."""
    assert "".join(join_texts(texts).split()) == "".join("".join(texts).split())


@given(st.lists(st.text("ab .,", max_size=9)))
def test_words_are_never_glued(texts: list[str]) -> None:
    """In a script with spaces, the words of the whole are the words of the texts."""
    assert join_texts(texts).split() == [word for text in texts for word in text.split()]


def test_texts_without_words_leave_no_trace() -> None:
    """An empty chunk does not bring a second space, and nothing at all is an empty text."""
    assert join_texts(["one", " \n", "", "two "]) == "one two"
    assert join_texts([]) == ""
