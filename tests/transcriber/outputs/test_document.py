"""Documents: what is stored of a transcript is read back whole, and people read it as the verbose_json answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from transcriber.api.backend import Usage
from transcriber.delivery.answers import transcript_answer
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
    text_ends=(9, 22),
)
SILENCE = Transcript("", "", 0.05)
GAP = Transcript("One. […]", "m", 60.0, ("From 0:30 to 1:00 nothing.",), missing=(Span(30.0, 60.0),))


@pytest.mark.parametrize("transcript", [WHOLE, SILENCE, GAP], ids=["speech", "silence", "gap"])
def test_document_is_read_back_whole(transcript: Transcript) -> None:
    """Every field survives being stored: usage, spans, and the words, channels and speakers of segments."""
    assert from_document(json.loads(json.dumps(to_document(transcript)))) == transcript


def test_document_is_the_verbose_json_answer() -> None:
    """Readers of the verbose_json answer find all of its fields, and a version among those that they ignore."""
    plain = replace(WHOLE, segments=tuple(Segment(s.start_seconds, s.end_seconds, s.text) for s in WHOLE.segments))
    document, answer = to_document(plain), verbose_json.fields(plain)
    assert {name: document[name] for name in answer} == answer
    assert document["document"] == VERSION == 1


@pytest.mark.parametrize("transcript", [WHOLE, SILENCE, GAP], ids=["speech", "silence", "gap"])
@pytest.mark.parametrize("response_format", list(ResponseFormat))
def test_document_is_delivered_like_a_fresh_transcript(transcript: Transcript, response_format: ResponseFormat) -> None:
    """A transcript that was stored and read is delivered in each format as it was when it was made."""
    read = from_document(json.loads(json.dumps(to_document(transcript))))
    assert transcript_answer(read, response_format) == transcript_answer(transcript, response_format)


@pytest.mark.parametrize("transcript", [WHOLE, SILENCE, GAP], ids=["speech", "silence", "gap"])
@pytest.mark.parametrize("response_format", list(ResponseFormat))
def test_document_of_an_earlier_version_is_read(transcript: Transcript, response_format: ResponseFormat) -> None:
    """A verbose_json answer that was stored before there were documents is delivered in each format."""
    stored = json.loads(FORMATS[ResponseFormat.VERBOSE_JSON].render(transcript))
    assert "document" not in stored
    assert transcript_answer(from_document(stored), response_format) == transcript_answer(transcript, response_format)


def test_answer_stored_by_an_earlier_version() -> None:
    """All that a stored answer of an earlier version has is read, and what it never had is empty."""
    stored = {
        "task": "transcribe",
        "text": "So they say.",
        "model": "whisper-large-v3",
        "duration": 12.5,
        "usage": {"type": "duration", "seconds": 13},
        "warnings": ["top_p was not used"],
        "language": "en",
        "segments": [{"id": 0, "start": 0.5, "end": 2.0, "text": "So they say."}],
    }
    assert from_document(stored) == Transcript(
        text="So they say.",
        model="whisper-large-v3",
        duration_seconds=12.5,
        warnings=("top_p was not used",),
        segments=(Segment(0.5, 2.0, "So they say."),),
        language="en",
    )


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        None,
        {"text": "", "model": "m", "duration": "long", "language": None, "segments": []},
        {"text": "", "model": "m", "duration": 1.0, "language": None, "segments": ["one"]},
        {"text": "", "model": "m", "duration": 1.0, "language": None, "segments": [], "chunks": [[1, 2, 3]]},
        {"text": "", "model": "m", "duration": 1.0, "language": None, "segments": [], "api_usage": {"tokens": 1}},
    ],
)
def test_something_else_is_an_error(document: Any) -> None:
    """JSON that is no document is one of the errors that say so, and never a transcript."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_document(document)


def test_optional_fields_are_there_only_where_a_segment_has_them() -> None:
    """Words, channels and speakers are stored for the segments that have them, in the names of the OpenAI API."""
    first, second = to_document(WHOLE)["segments"]
    assert first == {
        "id": 0,
        "start": 0.5,
        "end": 2.0,
        "text": "Is 1 < 2?",
        "words": [{"word": "Is", "start": 0.5, "end": 0.75}, {"word": "1 < 2?", "start": 0.75, "end": 2.0}],
    }
    assert second == {"id": 1, "start": 3720.25, "end": 3725.5, "text": "So they say.", "channel": 1, "speaker": "Ada"}
