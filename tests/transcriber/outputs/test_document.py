"""Documents: what is stored of a transcript is read back whole, and people read it as the verbose_json answer."""

import json
from dataclasses import replace

import pytest

from transcriber.api.backend import Usage
from transcriber.outputs import verbose_json
from transcriber.outputs.document import VERSION, from_document, to_document
from transcriber.outputs.formats import FORMATS
from transcriber.response_format import ResponseFormat
from transcriber.spans import Segment, Span, Word
from transcriber.transcription.transcript import Transcript

WHOLE = Transcript(
    text="Is 1 < 2? So they say.",
    model="whisper-large-v3",
    duration_seconds=3725.5,
    warnings=("top_p was not used",),
    segments=(
        Segment(0.5, 2.0, "Is 1 < 2?", words=(Word(0.5, 0.75, "Is"), Word(0.75, 2.0, "1 < 2?"))),
        Segment(3720.25, 3725.5, "So they say.", channel=1, speaker="Ada"),
    ),
    language="en",
    usage=Usage(calls=14, audio_seconds=3000, prompt_tokens=900, completion_tokens=100),
    chunks=(Span(0, 300.04), Span(600, 3725.5)),
    silent_spans=(Span(300.04, 600),),
)


@pytest.mark.parametrize("transcript", [WHOLE, Transcript("", "m", 0.05)], ids=["speech", "silence"])
def test_document_is_read_back_whole(transcript: Transcript) -> None:
    """Every field survives being stored: usage, spans, and the words, channels and speakers of segments."""
    assert from_document(json.loads(json.dumps(to_document(transcript)))) == transcript


def test_document_is_the_verbose_json_answer() -> None:
    """Readers of the verbose_json answer find all of its fields, and a version among those that they ignore."""
    plain = replace(WHOLE, segments=tuple(Segment(s.start_seconds, s.end_seconds, s.text) for s in WHOLE.segments))
    document, answer = to_document(plain), verbose_json.fields(plain)
    assert {name: document[name] for name in answer} == answer
    assert document["document"] == VERSION == 1


@pytest.mark.parametrize("response_format", list(ResponseFormat))
def test_document_of_an_earlier_version_is_read(response_format: ResponseFormat) -> None:
    """A verbose_json answer that was stored before there were documents is delivered in each format."""
    stored = json.loads(FORMATS[ResponseFormat.VERBOSE_JSON].render(WHOLE))
    assert "document" not in stored
    read = from_document(stored)
    plain = replace(WHOLE, segments=tuple(Segment(s.start_seconds, s.end_seconds, s.text) for s in WHOLE.segments))
    assert FORMATS[response_format].render(read) == FORMATS[response_format].render(plain)
