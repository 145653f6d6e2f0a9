"""Texts of any shape, through cleaning, checks, times, joining and all formats, and into what a webhook sends."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest
from support.misbehaving_models import simulated
from support.subtitle_rules import read_cues
from support.text_shapes import texts

from transcriber.api.backend import Backend, CallContext
from transcriber.api.chat import ChatBackend
from transcriber.api.models import ModelCatalog
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.delivery.answers import transcript_answer
from transcriber.errors import ApiFailedError
from transcriber.outputs.document import from_document, to_document
from transcriber.request.openai_api import ChatReply
from transcriber.request.options import TranscriptionOptions
from transcriber.request_log import JsonLogger
from transcriber.response_format import ResponseFormat
from transcriber.settings import ApiKind, Settings
from transcriber.spans import Segment
from transcriber.transcription.chunk_calls import MIN_MAX_CHARACTERS, ChunkCalls
from transcriber.transcription.completeness import transcribe_chunk
from transcriber.transcription.transcript import Transcript, join

SEED = 20_26
TIMED = TranscriptionOptions(response_format=ResponseFormat.VTT)
LANGUAGES = (None, "en", "ja", "th", "english", "xx")


class Answering:
    """An API that gives the same answer to each call."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer

    def models(self, *, deadline: Deadline) -> frozenset[str]:  # noqa: ARG002 # the protocol's
        return frozenset({"model"})

    def expected_seconds(self, audio_seconds: float) -> float:
        return audio_seconds

    def post(self, path: str, make_body: object, read: Callable[[Any], Any], **_: object) -> Any:  # noqa: ARG002
        return read(json.loads(json.dumps(self.answer)))


def transcribed(kind: ApiKind, text: str, chunk: Chunk, *, has_times: bool) -> Transcript:
    """What becomes of an API's answer with this text for `chunk`."""
    backend: Backend = ChatBackend() if kind is ApiKind.CHAT else TranscriptionsBackend()
    segments = [{"id": 0, "start": 0.5, "end": 29.5, "text": text}]
    answer = {"text": text, "choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    settings = Settings(api_key="key", models=("model",), model_apis={"model": kind})
    calls = ChunkCalls(
        settings=settings,
        api=Answering(answer | ({"segments": segments} if has_times else {})),
        catalog=ModelCatalog(settings),
        backends={kind: backend},
        options=TIMED,
        context=CallContext(Deadline(600), log=JsonLogger("error")),
    )
    return join(transcribe_chunk(chunk, calls), model="model", language=None)


def letters(texts: Iterable[str]) -> str:
    return "".join(character for text in texts for character in text if character.isalnum())


def check_deliveries(transcript: Transcript) -> None:
    """Every format is UTF-8, and can be read again; no word of the text is missing from the subtitles."""
    for response_format in ResponseFormat:
        answer = transcript_answer(transcript, response_format)
        sent = answer.encoded  # what a webhook signs and sends, too
        if response_format in {ResponseFormat.JSON, ResponseFormat.VERBOSE_JSON}:
            assert isinstance(json.loads(sent)["text"], str)
        if response_format in {ResponseFormat.SRT, ResponseFormat.VTT}:
            cues = read_cues(sent.decode())
            assert all(1 <= len(cue.lines) <= 2 and cue.start_ms < cue.end_ms for cue in cues)
        if response_format is ResponseFormat.SRT:
            assert letters(line for cue in cues for line in cue.lines) == letters([transcript.text])
    for is_streamed in (False, True):
        assert transcript_answer(transcript, ResponseFormat.TEXT, ChatReply("id", is_streamed)).encoded
    document = json.dumps(to_document(transcript), ensure_ascii=False).encode("utf-8", "replace")
    assert from_document(json.loads(document)).duration_seconds == transcript.duration_seconds


@pytest.mark.parametrize(
    ("count", "max_characters"),
    [(150, 25_000), pytest.param(5_000, 1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(3_600)])],
)
def test_any_text_is_delivered(count: int, max_characters: int) -> None:
    """No text that an API may answer ends in another error than that it is no transcript."""
    (chunk,) = simulated(3, minutes=0.5).chunks(5)
    kinds = cycle(((ApiKind.CHAT, False), (ApiKind.TRANSCRIPTIONS, False), (ApiKind.TRANSCRIPTIONS, True)))
    shapes = texts(SEED, count, max_characters=max_characters)
    for number, (text, (kind, has_times)) in enumerate(zip(shapes, kinds, strict=False)):
        language = LANGUAGES[number % len(LANGUAGES)]
        transcript = None
        with suppress(ApiFailedError):
            transcript = transcribed(kind, text, chunk, has_times=has_times)
        if transcript is None:
            assert len(text) > MIN_MAX_CHARACTERS
            # One segment of any length, as an earlier version may have stored it.
            segments = (Segment(0, 20, text),)
            transcript = Transcript(text, "model", chunk.duration_seconds, segments=segments)
        check_deliveries(replace(transcript, language=language))
