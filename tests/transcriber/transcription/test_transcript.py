"""Transcripts: what was heard in the pieces of a recording, as one; and of which models it was asked."""

import io
import json
from collections.abc import Iterator

import pytest
from support.loopback import Peer, serve
from support.recordings import hum

from transcriber.api.backend import ChunkTranscript, Usage
from transcriber.api.backends import backends
from transcriber.api.client import GenerativeApi
from transcriber.api.models import ModelCatalog
from transcriber.audio.containers import Container
from transcriber.audio.wav import read_layout
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiTimeoutError, ModelNotFoundError
from transcriber.log import JsonLogger
from transcriber.request.options import ResponseFormat, TranscriptionOptions
from transcriber.retry import RetryPolicy
from transcriber.settings import Settings
from transcriber.spans import Segment, Span
from transcriber.transcription.completeness import EMPTY, ChunkResult
from transcriber.transcription.transcript import Transcriber, join

DEFAULTS = TranscriptionOptions()
CHAT, OTHER = "voxtral-small-24b-2507", "whisper-large-v3"
WORDS = "ask not what your country can do for you"


def piece(
    number: int, text: str, *, model: str = "a", language: str | None = None, warnings: tuple[str, ...] = ()
) -> ChunkResult:
    """The piece with this number, of a minute each, with one segment."""
    span = Span(60.0 * number, 60.0 * number + 60)
    transcript = ChunkTranscript(text, model, warnings, language=language, usage=Usage(1, 60, 10, 2))
    return ChunkResult(span, transcript, (Segment(span.start_seconds, span.start_seconds + 1, text),))


def test_pieces_are_joined_in_order() -> None:
    """Text, segments, spans and usage are those of all pieces, and the recording is as long as the last one ends."""
    silence = ChunkResult(Span(60, 120), EMPTY, was_sent=False)
    whole = join([piece(0, "One two."), silence, piece(2, "Three.")], options=DEFAULTS, warnings=[])
    assert (whole.text, whole.model, whole.duration_seconds) == ("One two. Three.", "a", 180)
    assert whole.segments == (Segment(0, 1, "One two."), Segment(120, 121, "Three."))
    assert (whole.chunks, whole.not_sent) == ((Span(0, 60), Span(120, 180)), (Span(60, 120),))
    assert whole.usage == Usage(calls=2, audio_seconds=120, prompt_tokens=20, completion_tokens=4)
    assert whole.warnings == ()


def test_silence_is_an_empty_transcript() -> None:
    """A recording of which nothing was sent has its length, no words, no model, and cost nothing."""
    whole = join([ChunkResult(Span(0, 60), EMPTY, was_sent=False)], options=DEFAULTS, warnings=[])
    assert (whole.text, whole.model, whole.duration_seconds, whole.usage) == ("", "", 60, Usage())


def test_other_models_are_named() -> None:
    """The model that heard most is the transcript's, and a warning tells how much each other one heard."""
    pieces = [
        piece(0, "x", model="b"),
        piece(1, "x"),
        piece(2, "x"),
        ChunkResult(Span(180, 240), EMPTY, was_sent=False),
    ]
    whole = join(pieces, options=DEFAULTS, warnings=[])
    assert (whole.model, whole.warnings) == ("a", ("1 of 3 parts were transcribed by b.",))


def test_warnings_are_told_once_and_the_recordings_own_first() -> None:
    """What is warned of in each piece is told once, after what is wrong with the recording."""
    pieces = [piece(number, "x", warnings=("top_p was not used.", f"{number}")) for number in range(2)]
    whole = join(pieces, options=DEFAULTS, warnings=["The file is cut off."])
    assert whole.warnings == ("The file is cut off.", "top_p was not used.", "0", "1")


@pytest.mark.parametrize(
    ("heard", "asked", "language"),
    [
        (["en", "fr", "fr"], "de", "fr"),
        ([None, None, "en"], None, "en"),
        ([None, None], "de", "de"),
        ([None], None, None),
    ],
)
def test_language(heard: list[str | None], asked: str | None, language: str | None) -> None:
    """The language is the one that was heard most; where the API tells none, the one that the client said."""
    pieces = [piece(number, "x", language=code) for number, code in enumerate(heard)]
    assert join(pieces, options=TranscriptionOptions(language=asked), warnings=[]).language == language


class Apis:
    """Both APIs with two models; each call is answered by the next of its model's texts, and noted."""

    def __init__(self, **texts: list[str]) -> None:
        self.texts = {CHAT: texts.get("chat", []), OTHER: texts.get("other", [])}
        self.asked: list[str] = []

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": model} for model in self.texts]}).encode())
            return
        model = CHAT if peer.path == "/chat/completions" else OTHER
        self.asked.append(model)
        text = self.texts[model].pop(0)
        choice = {"message": {"content": text}, "finish_reason": "stop"}
        peer.answer(json.dumps({"text": text, "choices": [choice]}).encode())


def chunks(*, count: int = 1) -> Iterator[Chunk]:
    data = hum(15)
    layout = read_layout(data)
    assert layout is not None
    for number in range(count):
        body = BytesPayload(data[: layout.data_start], data[layout.data_start :])
        yield Chunk(Span(15.0 * number, 15.0 * number + 15), Container.WAV, body, layout)


def transcribe(apis: Apis, options: TranscriptionOptions = DEFAULTS, *, count: int = 1) -> tuple[ChunkResult, ...]:
    with serve(apis) as server:
        settings = Settings(api_key="key", api_url=server.url, parallel_calls=1)
        api = GenerativeApi(settings, retry=RetryPolicy(max_attempts=1))
        directory = ModelCatalog(settings, log=JsonLogger(stream=io.StringIO()))
        transcriber = Transcriber(settings, api, directory, backends())
        return transcriber.transcribe(chunks(count=count), options, deadline=Deadline(30))


def test_open_model() -> None:
    """Without a model in the request, one that hears nothing is followed by the next one, by its own API."""
    apis = Apis(chat=["", ""], other=[WORDS])
    (heard,) = transcribe(apis)
    assert (heard.transcript.text, heard.transcript.model) == (WORDS, OTHER)
    assert apis.asked == [CHAT, CHAT, OTHER]


@pytest.mark.parametrize(("model", "name"), [(CHAT, "chat"), (OTHER, "other")])
def test_model_of_the_request_is_the_only_one(model: str, name: str) -> None:
    """A model in the request that hears nothing is warned of, and no other one is asked."""
    apis = Apis(**{name: ["", ""]})
    (heard,) = transcribe(apis, TranscriptionOptions(model=model))
    assert (heard.transcript.text, len(heard.transcript.warnings)) == ("", 1)
    assert apis.asked == [model, model]


def test_model_that_does_not_exist_is_not_asked() -> None:
    """A model in the request that the API does not list is an error without a call."""
    apis = Apis()
    with pytest.raises(ModelNotFoundError):
        transcribe(apis, TranscriptionOptions(model="whisper-huge"))
    assert apis.asked == []


@pytest.mark.parametrize(("model", "name", "asked"), [(CHAT, "chat", 1), (OTHER, "other", 2)])
def test_prompt(model: str, name: str, asked: int) -> None:
    """A prompt is an instruction to a chat model, whose answer may be short; to another, it is words to expect."""
    apis = Apis(**{name: ["No.", WORDS]})
    transcribe(apis, TranscriptionOptions(model=model, prompt="Is it about money?"))
    assert len(apis.asked) == asked


def test_times_only_where_they_are_wanted() -> None:
    """Pieces have segments for the formats with times, whichever API answers, and none for the others."""
    for options in (DEFAULTS, TranscriptionOptions(response_format=ResponseFormat.SRT)):
        for piece_heard in transcribe(Apis(chat=[WORDS] * 3), options, count=3):
            start_seconds = [round(segment.start_seconds) for segment in piece_heard.segments]
            assert start_seconds == ([piece_heard.span.start_seconds] if options.wants_times else [])


def test_no_chunk_is_begun_without_time() -> None:
    """When the time is over before the recording is, the next chunk is an error that names TIME_LIMIT."""
    settings = Settings(api_key="key", api_url="http://127.0.0.1:1")
    api = GenerativeApi(settings, retry=RetryPolicy(max_attempts=1))
    directory = ModelCatalog(settings, log=JsonLogger(stream=io.StringIO()))
    transcriber = Transcriber(settings, api, directory, backends())
    with pytest.raises(ApiTimeoutError, match="TIME_LIMIT"):
        transcriber.transcribe(chunks(), DEFAULTS, deadline=Deadline(0))
