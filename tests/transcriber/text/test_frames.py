"""Frames of lines: what each line has around it is the model's, and what one line has may be a speaker's."""
# ruff: noqa: RUF001 # marks of many scripts are what this is about

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


@pytest.mark.parametrize(
    ("framed", "words"),
    [
        ("[00:01] So he came. [00:05] And left.", "So he came. And left."),
        ("[00:01] So he came. And left.", "So he came. And left."),
        ("[00:00] So he came.\nThen he sat.\n[00:05] And left.", "So he came.\nThen he sat.\nAnd left."),
        ("[0.0s - 2.5s] So he came.\n[2.5s - 4.0s] And left.", WORDS),
        ("[0:01]: So he came.\n[0:05]: And left.", WORDS),
        ("**[0:01]** So he came.\n**[0:05]** And left.", WORDS),
        ("<00:01> So he came.\n<00:05> And left.", WORDS),
        ("Speaker 1: So he came.\nThen he sat.\nSpeaker 2: And left.", "So he came.\nThen he sat.\nAnd left."),
        ("SPEAKER_00: So he came.\nSPEAKER_01: And left.", WORDS),
        ("[Speaker 1]: So he came.\n[Speaker 2]: And left.", WORDS),
        ("- Speaker 1: So he came.\n- Speaker 2: And left.", WORDS),
        ("Speaker 1 (male): So he came.\nSpeaker 2 (female): And left.", WORDS),
        ("Host: So he came.\nGuest: And left.", WORDS),
        ("Sprecher 1: So he came.\nSprecherin 2: And left.", WORDS),
        ("Говорящий 1: So he came.\nГоворящий 2: And left.", WORDS),
        ("说话人1：So he came.\n说话人2：And left.", WORDS),
        ("話者1: So he came.\n話者2: And left.", WORDS),
        (
            (
                "WEBVTT\nKind: x\n\nNOTE a note\n\n00:01.000 --> 00:05.000 align:start\n<v Ada>So he came.</v>\n\n"
                "00:05.000 --> 00:07.000\nAnd left."
            ),
            WORDS,
        ),
        (
            "1 00:00:01,000 --> 00:00:05,000 So he came. 2 00:00:05,000 --> 00:00:07,000 And left.",
            "So he came. And left.",
        ),
        ("<|0.00|> So he came.<|2.50|>\n<|2.50|> And left.<|4.00|>", WORDS),
    ],
)
def test_further_frames_are_removed(framed: str, words: str) -> None:
    """Stamps in brackets, in one line or several, labels of turns, in many languages, and the heads of files."""
    assert strip_frames(framed) == words


@pytest.mark.parametrize(
    "text",
    [
        "10:30 - they open.\n10:45 - they close.",
        "(3:16) For God so loved.\n(3:17) For God sent not.",
        "[00:05] So he came. [00:01] And left.",
        "Milk: two.\nEggs: three.",
        "Speaker one: so he came.\nAnd left.",
        "So he came.\nSpeaker 2: And left.",
        "Mary: hello.\nJohn: hi.",
        "A: one.\nB: two.",
        "<b>So</b> he came.",
    ],
)
def test_further_words_stay(text: str) -> None:
    """Timetables, verses, lists, and names that somebody reads out, are a speaker's."""
    assert strip_frames(text) == text
