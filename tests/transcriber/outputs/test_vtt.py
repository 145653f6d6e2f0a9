"""WebVTT files: independent parsers read the cues that were made, with their times and words."""

import pysubs2
import pytest
import webvtt
from hypothesis import given, settings
from support.subtitles import AWKWARD, segments_for_parsers, transcript_of

from transcriber.outputs.vtt import render
from transcriber.spans import Segment
from transcriber.text.subtitles import make_cues
from transcriber.transcription.transcript import Transcript


@settings(deadline=None)
@given(segments_for_parsers)
def test_file_is_read_by_others(segments: list[Segment]) -> None:
    """The file has as many cues as were made, for two parsers, with the same times."""
    cues = make_cues(segments)
    text = render(transcript_of(*segments))
    times = [(round(cue.start_seconds * 1000), round(cue.end_seconds * 1000)) for cue in cues]
    assert [(line.start, line.end) for line in pysubs2.SSAFile.from_string(text, format_="vtt")] == times
    assert len(webvtt.from_string(text, strict=True)) == len(cues)


@pytest.mark.parametrize("text", AWKWARD)
def test_texts_come_back(text: str) -> None:
    """A parser reads the same words from the file."""
    rendered = render(transcript_of(Segment(0, 3, text), Segment(4, 7, "and on")))
    read = webvtt.from_string(rendered, strict=True)[0].raw_text.replace("\n", " ")
    assert read.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == " ".join(text.split())


def test_markup_is_escaped() -> None:
    """Markup in a text is not markup in the file."""
    assert "a &lt;b&gt; &amp;amp; --&gt; c" in render(transcript_of(Segment(0, 3, "a <b> &amp; --> c")))


def test_silence_is_a_file_without_cues() -> None:
    """Without segments, and without words, the file has no cues, and is a valid one."""
    assert render(transcript_of()) == "WEBVTT\n"
    assert render(transcript_of(Segment(0, 5, " \n"))) == "WEBVTT\n"


def test_times_are_exact() -> None:
    """Times are rounded to the millisecond once, and hours have as many digits as they need."""
    rendered = render(transcript_of(Segment(0.9996, 2.0004, "one"), Segment(363_599.9994, 363_601.5, "two")))
    assert "00:00:01.000 --> 00:00:02.000\none" in rendered
    assert "100:59:59.999 --> 101:00:01.500\ntwo" in rendered


def test_warnings_are_notes() -> None:
    """Each warning is a comment before the cues, on one line and without an arrow; parsers pass over it."""
    transcript = Transcript("", "m", 9.0, warnings=("From 0:00 to 0:05\n\n--> words",), segments=(Segment(0, 3, "So"),))
    text = render(transcript)
    assert text.startswith("WEBVTT\n\nNOTE From 0:00 to 0:05 → words\n\n00:00:00.000 -->")
    assert len(webvtt.from_string(text, strict=True)) == 1
    assert [line.text for line in pysubs2.SSAFile.from_string(text, format_="vtt")] == ["So"]
