"""SubRip files: independent parsers read the cues that were made, with their times and words."""

from io import StringIO

import pysubs2
import pytest
import webvtt
from hypothesis import given, settings
from support.subtitles import AWKWARD, segments_for_parsers, transcript_of

from transcriber.outputs.srt import render
from transcriber.spans import Segment
from transcriber.text.subtitles import make_cues


@settings(deadline=None)
@given(segments_for_parsers)
def test_file_is_read_by_others(segments: list[Segment]) -> None:
    """The file has as many cues as were made, for two parsers, with the same times."""
    cues = make_cues(segments)
    text = render(transcript_of(*segments))
    times = [(round(cue.start_seconds * 1000), round(cue.end_seconds * 1000)) for cue in cues]
    assert [(line.start, line.end) for line in pysubs2.SSAFile.from_string(text, format_="srt")] == times
    if cues:
        assert len(webvtt.from_buffer(StringIO(text), format="srt")) == len(cues)


@pytest.mark.parametrize("text", AWKWARD)
def test_texts_come_back(text: str) -> None:
    """A parser reads the same words from the file, except that an arrow of three characters is one character."""
    rendered = render(transcript_of(Segment(0, 3, text), Segment(4, 7, "and on")))
    first, *others = pysubs2.SSAFile.from_string(rendered, format_="srt", keep_html_tags=True)
    assert first.text.replace(r"\N", " ") == " ".join(text.split()).replace("-->", "→")
    assert [line.text for line in others] == ["and on"]


def test_silence_is_an_empty_file() -> None:
    """Without segments, and without words, the file is empty."""
    assert render(transcript_of()) == ""
    assert render(transcript_of(Segment(0, 5, " \n"))) == ""


def test_times_are_exact() -> None:
    """Times are rounded to the millisecond once, and hours have as many digits as they need."""
    rendered = render(transcript_of(Segment(0.9996, 2.0004, "one"), Segment(363_599.9994, 363_601.5, "two")))
    assert "00:00:01,000 --> 00:00:02,000\none" in rendered
    assert "100:59:59,999 --> 101:00:01,500\ntwo" in rendered
