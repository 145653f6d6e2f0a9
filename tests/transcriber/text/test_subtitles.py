"""Subtitles: cues that can be read, and never a word less."""
# ruff: noqa: RUF001 # marks of many scripts are what this is about

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.subtitles import seconds, segments_of_any_text

from transcriber.spans import Segment
from transcriber.text.subtitles import MAX_LINE_COLUMNS, Cue, make_cues


def shown(cues: tuple[Cue, ...]) -> str:
    return " ".join(line for cue in cues for line in cue.lines)


@settings(deadline=None)
@given(segments_of_any_text)
def test_no_word_is_lost(segments: list[Segment]) -> None:
    """The characters of all cues are those of all segments, in order, control characters aside."""
    wanted = "".join(character for segment in segments for character in segment.text if character.isprintable())
    got = "".join(character for character in shown(make_cues(segments)) if character.isprintable())
    assert got.replace(" ", "") == wanted.replace(" ", "")


@settings(deadline=None)
@given(
    st.lists(st.lists(st.text("abcxyz.,!", min_size=1, max_size=MAX_LINE_COLUMNS), max_size=60), max_size=4), seconds
)
def test_words_stay_whole(segments: list[list[str]], length_seconds: float) -> None:
    """Words that fit in a line are never divided."""
    timed = [Segment(n, n + length_seconds, " ".join(words)) for n, words in enumerate(segments)]
    assert shown(make_cues(timed)).split() == [word for words in segments for word in words]


@settings(deadline=None)
@given(segments_of_any_text)
def test_cues_keep_the_rules(segments: list[Segment]) -> None:
    """At most two lines of 42 columns, at most 7 s, never empty in time or words, in order and apart."""
    cues = make_cues(segments)
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(line.strip() == line for line in cue.lines)
        assert all(len(line) <= MAX_LINE_COLUMNS for line in cue.lines if line.isascii())
        assert 0.001 <= round(cue.end_seconds - cue.start_seconds, 6) <= 7
    for before, after in pairwise(cues):
        assert before.end_seconds <= after.start_seconds


def test_long_segment_is_divided_where_sentences_end() -> None:
    """A sentence end comes before a comma, a comma before a word, and each cue has its share of the time."""
    text = "This is the first sentence of the speaker. And this is the second one, which is about as long as it."
    cues = make_cues([Segment(10, 20, text)])
    assert [" ".join(cue.lines) for cue in cues] == [text[:42], text[43:]]
    assert cues[0].start_seconds == 10
    assert cues[1].start_seconds == pytest.approx(14.2, abs=0.2)
    assert cues[0].end_seconds == pytest.approx(cues[1].start_seconds - 0.084)
    assert cues[1].end_seconds == 20


def test_lines_are_balanced() -> None:
    """Two lines are about equally wide, rather than a full one and a rest."""
    (cue,) = make_cues([Segment(0, 5, "We had nothing at all to eat in those days of the war")])
    assert abs(len(cue.lines[0]) - len(cue.lines[1])) <= 8


def test_wide_characters_count_twice() -> None:
    """A line holds 21 Chinese characters, and none begins with a full stop."""
    cues = make_cues([Segment(0, 6, "我们今天去北京看朋友然后一起吃饭，" * 4)])
    assert all(len(line) <= 21 and line[0] != "，" for cue in cues for line in cue.lines)  # the comma


def test_short_cue_stays_as_long_as_it_is_read() -> None:
    """A cue that is over too soon to be read stays into the silence after it, and never into the next."""
    words = "Nobody can read this in half a second."
    cues = make_cues([Segment(0, 0.5, words), Segment(1.5, 2, words), Segment(20, 21, "Yes")])
    assert [cue.end_seconds for cue in cues] == [1.416, pytest.approx(1.5 + len(words) / 17, abs=0.01), 21]


def test_slow_words_are_not_divided() -> None:
    """Two words that take half a minute are one cue, which goes after seven seconds."""
    assert make_cues([Segment(0, 30, "Thank you.")]) == (Cue(0, 7, ("Thank you.",)),)


def test_words_at_the_same_time_are_shown_together() -> None:
    """Segments that begin at once share a cue, so that none is a flash."""
    (cue,) = make_cues([Segment(3, 3, "Yes."), Segment(3, 4, "No.")])
    assert cue == Cue(3, 4, ("Yes. No.",))


def test_gaps_are_two_frames_or_half_a_second() -> None:
    """Between two cues are two frames at least, and a gap that would only flicker is closed to two."""
    starts = (0.0, 3.0, 6.3, 12.0)
    cues = make_cues([Segment(start, start + 3, "These words take three seconds to say.") for start in starts])
    gaps = [round(after.start_seconds - before.end_seconds, 3) for before, after in pairwise(cues)]
    assert gaps == [0.084, 0.084, 2.7]


def test_last_cue_ends_with_the_recording() -> None:
    """A cue stays on the screen to be read, but no longer than the recording plays."""
    words = "Nobody can read this in half a second."
    assert make_cues([Segment(9.5, 10, words)])[0].end_seconds > 11
    assert make_cues([Segment(9.5, 10, words)], end_seconds=10.2)[0].end_seconds == 10.2
