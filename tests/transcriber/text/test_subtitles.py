"""Subtitles: cues that can be read, and never a word less."""
# ruff: noqa: RUF001 # marks of many scripts are what this is about

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.subtitles import SENTENCES, seconds, segments_of_any_text

from transcriber.spans import Segment
from transcriber.text.reading_rules import DEFAULT
from transcriber.text.subtitles import Cue, make_cues


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
    st.lists(st.lists(st.text("abcxyz.,!", min_size=1, max_size=DEFAULT.line_columns), max_size=60), max_size=4),
    seconds,
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
        assert all(len(line) <= DEFAULT.line_columns for line in cue.lines if line.isascii())
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
    """A line holds 16 Chinese characters, and none begins with a comma."""
    cues = make_cues([Segment(0, 6, "我们今天去北京看朋友然后一起吃饭，" * 4)])
    assert all(len(line) <= 16 and line[0] != "，" for cue in cues for line in cue.lines)


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


def test_words_at_the_very_end_are_no_flash() -> None:
    """Words said as the recording ends are shown a little early, or with those before, rather than for an instant."""
    cues = make_cues([Segment(0, 3, "Is that all?"), Segment(9.9, 10, "Yes.")], end_seconds=10)
    assert [(cue.start_seconds, cue.end_seconds) for cue in cues] == [(0, 3), (9.166, 10)]
    (cue,) = make_cues([Segment(9, 9.8, "Is that all?"), Segment(9.9, 10, "Yes.")], end_seconds=10)
    assert cue == Cue(9, 10, ("Is that all? Yes.",))


def test_cue_that_cannot_reach_the_next_one_ends_half_a_second_before() -> None:
    """A cue of seven seconds does not leave a gap that only flickers."""
    first, _ = make_cues([Segment(0, 7.1, "Thank you."), Segment(7.2, 9, "You are welcome.")])
    assert first.end_seconds == 6.7


def test_cues_have_time_to_be_seen() -> None:
    """Words faster than any speaker take the time after them, so that no cue is a flash."""
    cues = make_cues([Segment(0, 0.5, SENTENCES), Segment(20, 21, "Yes")])
    assert len(cues) == 4
    assert all(cue.end_seconds - cue.start_seconds > 5 / 6 for cue in cues)


@pytest.mark.parametrize("mark", ["\u0900", "\u0e31", "\u0301", "\u200d", "\ud83d"])
@pytest.mark.parametrize("language", [None, "ja", "hi"])
def test_run_that_no_rule_divides_ends_in_cues(mark: str, language: str | None) -> None:
    """Marks without a letter, and half characters, are shown somehow, and none is lost."""
    cues = make_cues([Segment(0, 5, mark * 300)], language=language)
    assert sum(line.count(mark) for cue in cues for line in cue.lines) == 300


def test_many_segments_at_once_are_joined_in_linear_time() -> None:
    """Segments for which there is no time are joined at once; the test's time limit is the measure."""
    cues = make_cues([Segment(n / 1000, n / 1000 + 0.001, "No.") for n in range(50_000)], end_seconds=50)
    assert sum(line.count("No.") for cue in cues for line in cue.lines) == 50_000
