"""Frames of lines: what each line has around it is the model's, and what one line has may be a speaker's."""

import pytest

from transcriber.text.frames import strip_frames

WORDS = "So he came.\nAnd left."


@pytest.mark.parametrize(
    "framed",
    [
        "[00:01] So he came.\n[00:05] And left.",
        "[00:00:01.000 --> 00:00:05.000] So he came.\n[00:00:05.000 --> 00:00:07.000] And left.",
        "(0:01) So he came.\n\n(0:05) And left.",
        "00:01 - So he came.\n00:05 - And left.",
        "Speaker 1: So he came.\nSpeaker 2: And left.",
        "**Speaker A:** So he came.\n**Speaker B:** And left.",
        "[0:01] Speaker 1: So he came.\n[0:05] Speaker 1: And left.",
        "Speaker 1: [0:01] So he came.\nSpeaker 1: [0:05] And left.",
        "1\n00:00:01,000 --> 00:00:05,000\nSo he came.\n\n2\n00:00:05,000 --> 00:00:07,000\nAnd left.",
        "WEBVTT\n\n00:01.000 --> 00:05.000\nSo he came.\n\n00:05.000 --> 00:07.000\nAnd left.",
    ],
)
def test_frame_is_removed(framed: str) -> None:
    """Stamps, labels and the cues of subtitle files are removed where each line has them."""
    assert strip_frames(framed) == WORDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        WORDS,
        "[00:01] So he came.\nAnd left.",
        "10:30 - that was when he came.",
        "Speaker 1: So he came.",
        "At 10:30 he came.\nAt 10:45 he left.",
        "12\n13\n14",
        "He wrote 00:01 --> 00:05 down.",
    ],
)
def test_words_stay(text: str) -> None:
    """A text whose lines do not all have the same frame stays as it is."""
    assert strip_frames(text) == text


@pytest.mark.parametrize("run", ["[00:01] ", "1:", "0", "[", "Speaker 1:", "\n[0:01]", "00:01 --> "])
def test_runs_are_read_in_linear_time(run: str) -> None:
    """A megabyte of what frames begin with is read at once; the test's time limit is the measure."""
    strip_frames(run * (1_000_000 // len(run)))
