"""OpenAI's events of a streamed transcription: a delta for each chunk, then all of it, as its own types have them."""

import json

import pytest
from openai.types.audio import TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent

from transcriber.api.backend import NO_USAGE, Usage
from transcriber.delivery.answers import transcript_answer
from transcriber.outputs.document import from_document, to_document
from transcriber.request.openai_api import TranscriptEvents
from transcriber.response_format import ResponseFormat
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.transcript import Transcript, join


def events_of(transcript: Transcript) -> list[TranscriptionTextDeltaEvent | TranscriptionTextDoneEvent]:
    """The events of the answer, each checked strictly by the client's own type."""
    answer = transcript_answer(transcript, ResponseFormat.JSON, TranscriptEvents())
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.body.endswith("\n\n")
    events: list[TranscriptionTextDeltaEvent | TranscriptionTextDoneEvent] = []
    for block in answer.body.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        fields = json.loads(data.removeprefix("data: "))
        assert name == f"event: {fields['type']}"
        kind = TranscriptionTextDoneEvent if fields["type"].endswith("done") else TranscriptionTextDeltaEvent
        events.append(kind.model_validate(fields, strict=True))
    return events


def joined(*texts: str) -> Transcript:
    spans = [Span(60.0 * number, 60.0 * (number + 1)) for number in range(len(texts))]
    results = [ChunkResult(span=span, text=text, model="whisper") for span, text in zip(spans, texts, strict=True)]
    return join(results, model="whisper", language=None)


@pytest.mark.parametrize(
    ("texts", "deltas"),
    [
        (["One two.", "Three."], ["One two.", " Three."]),
        (["One.", "", " ", "Two.\n"], ["One.", " Two."]),
        (["你好。", "再见。"], ["你好。", "再见。"]),
        (["Line\nend \u2028 and \u0085 \ud800"], ["Line\nend \u2028 and \u0085 \ud800"]),
        ([""], []),
    ],
)
def test_a_delta_for_each_chunk(texts: list[str], deltas: list[str]) -> None:
    """The deltas are the texts of the chunks, add up to the whole text, and are the same for a stored transcript."""
    transcript = joined(*texts)
    stored = from_document(json.loads(json.dumps(to_document(transcript))))
    for each in (transcript, stored):
        *found, done = events_of(each)
        assert isinstance(done, TranscriptionTextDoneEvent)
        assert [event.delta for event in found if isinstance(event, TranscriptionTextDeltaEvent)] == deltas
        assert done.text == "".join(deltas) == transcript.text


def test_a_transcript_whose_chunks_are_not_known() -> None:
    """What an earlier version stored, or what was changed as a whole, is one delta."""
    document = {name: value for name, value in to_document(joined("One.", "Two.")).items() if name != "text_ends"}
    assert len(events_of(from_document(document))) == 2


def test_the_last_event_has_what_is_known() -> None:
    """Tokens are there where the API counted some; model, duration and warnings stand beside them."""
    counted = Transcript(
        "One.", "whisper", 11.5, ("A gap.",), usage=Usage(calls=1, prompt_tokens=5, completion_tokens=2)
    )
    done = events_of(counted)[-1]
    assert isinstance(done, TranscriptionTextDoneEvent)
    assert done.usage is not None
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.total_tokens) == (5, 2, 7)
    assert done.model_extra == {"model": "whisper", "duration": 11.5, "warnings": ["A gap."]}
    unknown = events_of(Transcript("One.", "whisper", 1, usage=NO_USAGE))[-1]
    assert isinstance(unknown, TranscriptionTextDoneEvent)
    assert unknown.usage is None
