"""Repetition: a decoder's loop is one, and what people say again is none."""

from itertools import cycle, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import WORDS

from transcriber.text.repetition import is_repetitive

SENTENCE = "We went down to the river and sat. "
CHORUS = (
    "Row, row, row your boat, gently down the stream, merrily, merrily, merrily, merrily, life is but a dream. "
    "If you see a crocodile, don't forget to scream. "
)


@pytest.mark.parametrize(
    "text",
    [
        "the " * 50,
        "So I said the the the the" + " the" * 30,
        "Thank you. " * 20,
        SENTENCE * 6,
        "It was a fine day, and we had nothing to do until the evening came. " + SENTENCE * 8,
        "It was a fine day. " + SENTENCE * 8 + "We went down to",
        "It was a fine day. " + SENTENCE * 8 + "And so it ended there.",
        "谢谢大家。" * 12,
        "我们今天去北京看朋友。" * 6,
        "ขอบคุณครับ" * 10,
        "ありがとうございました。" * 6,
    ],
)
def test_loop_is_found(text: str) -> None:
    """A word, a phrase or a sentence over and over is a loop, with or without spaces, from the start or at the end."""
    assert is_repetitive(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no, no, no",
        "ha ha ha ha",
        "Ha! " * 12,
        CHORUS * 3,
        "And miles to go before I sleep, and miles to go before I sleep.",
        " ".join(map(str, range(1, 200))),
        "one two three four five six seven eight nine ten " * 3,
        " ".join(f"Item {number}: a pound of flour." for number in range(60)),
        " ".join(f"Saint {name}, pray for us." for name in ("Mary", "Anne", "John", "Paul", "Luke", "Mark") * 4),
        "哈哈哈哈",
        "一二三四五六七八九十百千万",
        SENTENCE * 8
        + "And then she spoke of what had been on her mind since the spring, "
        + CHORUS * 2
        + "so it was over. "
        "He asked whether the boat that lay by the water had been sold, and to whom, and what had become of the money.",
    ],
)
def test_what_people_say_is_no_loop(text: str) -> None:
    """Choruses, counting, laughter, lists and litanies are none, nor is a repetition that speech goes on after."""
    assert not is_repetitive(text)


def test_round_of_several_sentences_is_no_loop() -> None:
    """Six sentences that somebody goes through for an hour have a period that no decoder's loop has."""
    sentences = list(dict.fromkeys(WORDS.values()))
    assert not is_repetitive(" ".join(islice(cycle(sentences), 600)))


@given(st.lists(st.text("abcde", min_size=1, max_size=4), min_size=4, max_size=30, unique=True))
def test_any_phrase_is_a_loop_when_it_is_all_there_is(words: list[str]) -> None:
    """Six rounds of the same words are a loop."""
    assert is_repetitive(" ".join(words * 6))


@given(st.lists(st.integers(), unique=True))
def test_words_that_are_all_different_are_no_loop(numbers: list[int]) -> None:
    """What never repeats is never a loop, however long it is."""
    assert not is_repetitive(" ".join(f"w{number}" for number in numbers if number >= 0))
