"""The two backends: what they send, made while it is sent, and what they make of the answer."""

import base64
import json
import re
from collections.abc import Mapping
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.loopback import Peer, body_of, serve
from support.recordings import hum, recording

from transcriber.api import chat
from transcriber.api.backend import Backend, CallContext, ChunkTranscript, Usage
from transcriber.api.chat import ChatBackend
from transcriber.api.client import GenerativeApi
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.audio.identify import identify
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ApiRefusedError, SourceFailedError, TruncatedTranscriptError
from transcriber.net.ssrf_guard import SsrfGuard
from transcriber.request.base64_text import read_base64
from transcriber.request.options import TranscriptionOptions
from transcriber.retry import RetryPolicy
from transcriber.settings import AllowedHost, ApiKind, Settings
from transcriber.sources.base import Source
from transcriber.sources.inline import InlineSource
from transcriber.sources.url import Downloader, UrlSource
from transcriber.spans import Segment

DEFAULTS = TranscriptionOptions()


def backend_of(kind: ApiKind) -> Backend:
    return ChatBackend() if kind is ApiKind.CHAT else TranscriptionsBackend()


class Recorded:
    """What the API got in one call, and what came of it."""

    def __init__(self, request: bytes, transcript: ChunkTranscript) -> None:
        self.head, self.body, self.transcript = request.partition(b"\r\n\r\n")[0].decode(), body_of(request), transcript

    @property
    def path(self) -> str:
        return self.head.split()[1]

    @property
    def is_chunked(self) -> bool:
        return "transfer-encoding: chunked" in self.head.lower()

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def chat_audio(self) -> bytes:
        return base64.b64decode(self.json["messages"][0]["content"][1]["input_audio"]["data"], validate=True)

    @property
    def form(self) -> dict[str, tuple[bytes, str | None, str]]:
        """Content, filename and content type of each part, by the standard library's parser of messages."""
        (content_type,) = re.findall(r"(?im)^content-type: .*$", self.head)
        message = BytesParser().parsebytes(f"{content_type}\r\n\r\n".encode() + self.body)
        parts = [part for part in message.walk() if not part.is_multipart()]
        names = [str(part.get_param("name", header="content-disposition")) for part in parts]
        contents = [part.get_payload(decode=True) for part in parts]
        return {
            name: (content, part.get_filename(), part.get_content_type())
            for name, content, part in zip(names, contents, parts, strict=True)
            if isinstance(content, bytes)
        }


def send(
    kind: ApiKind,
    chunk: Chunk | bytes,
    answer: Mapping[str, Any],
    options: TranscriptionOptions = DEFAULTS,
    *,
    wants_times: bool = False,
) -> Recorded:
    """Have a chunk transcribed by a server on loopback that gives `answer`."""
    chunk = inline_chunk(chunk) if isinstance(chunk, bytes) else chunk
    with serve(lambda peer: peer.answer(json.dumps(answer).encode())) as server:
        api = GenerativeApi(Settings(api_key="key", api_url=server.url), retry=RetryPolicy(max_attempts=1))
        transcript = backend_of(kind).transcribe(
            chunk,
            model="the-model",
            options=options,
            api=api,
            context=CallContext(Deadline(30)),
            wants_times=wants_times,
        )
        (request,) = server.requests
    return Recorded(request, transcript)


def inline_chunk(data: bytes) -> Chunk:
    return only_chunk(InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9))


def only_chunk(source: Source) -> Chunk:
    options = CutOptions(ChunkLimits(300), max_seconds=10**5, deadline=Deadline(30))
    (chunk,) = cut(identify(source, max_seconds=10**5), options)
    assert chunk.warnings == ()
    return chunk


def chat_answer(text: object, *, reason: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}]}


@pytest.mark.parametrize("name", ["jfk.wav", "jfk.mp3"])
def test_chat_request(name: str) -> None:
    """A chat request holds the instruction, the audio with the label of its bytes, and defaults for a transcription."""
    data = recording(name)
    call = send(ApiKind.CHAT, data, chat_answer(" And so "))
    assert (call.transcript.text, call.transcript.model) == ("And so", "the-model")
    assert (call.path, call.is_chunked) == ("/chat/completions", False)
    text, audio = call.json["messages"][0]["content"]
    assert text == {"type": "text", "text": chat.INSTRUCTION}
    assert audio["input_audio"]["format"] == name[-3:]
    assert call.chat_audio == data
    assert (call.json["model"], call.json["temperature"]) == ("the-model", 0)
    assert call.json["max_tokens"] == chat.MIN_OUTPUT_TOKENS


def test_chat_options() -> None:
    """The user's prompt replaces the instruction, whatever it holds, and the language is told beside it."""
    prompt = 'Say "@audio@" \\ and "data": "@audio@"\n{}'
    options = TranscriptionOptions(prompt=prompt, language="fr", temperature=0.7, top_p=0.5, max_tokens=99)
    data = recording("austen-0880.wav")
    call = send(ApiKind.CHAT, data, chat_answer("x"), options)
    text, _ = call.json["messages"][0]["content"]
    assert text["text"].startswith(prompt)
    assert text["text"].endswith("is fr (ISO 639-1).")
    assert call.chat_audio == data
    assert [call.json[name] for name in ("temperature", "top_p", "max_tokens")] == [0.7, 0.5, 99]


def test_instruction_asks_for_the_words_alone() -> None:
    """The instruction forbids each thing that chat models are known to add or change."""
    for forbidden in (
        "translate",
        "summarise",
        "comment",
        "title",
        "quotes",
        "answer questions",
        "follow instructions",
    ):
        assert forbidden in chat.INSTRUCTION
    assert "word for word" in chat.INSTRUCTION


@pytest.mark.parametrize(("seconds", "tokens"), [(0.5, 512), (60, 600), (600, 6000), (1800, 6500)])
def test_output_budget(seconds: float, tokens: int) -> None:
    """The budget holds three times what is normally said, and leaves room for the audio in the model's context."""
    assert chat.output_budget(seconds) == tokens


def test_transcriptions_request() -> None:
    """A form holds the model, the options, and the file as it is with the name and type of its bytes."""
    options = TranscriptionOptions(language="en", prompt="Dashwood, é", temperature=0.5)
    for name, content_type in (("jfk.wav", "audio/wav"), ("jfk.mp3", "audio/mpeg")):
        data = recording(name)
        call = send(ApiKind.TRANSCRIPTIONS, data, {"text": " And so\n"}, options)
        assert call.transcript.text == "And so"
        assert (call.path, call.is_chunked) == ("/audio/transcriptions", False)
        assert call.form["file"] == (data, f"audio.{name[-3:]}", content_type)
        fields = {field: content.decode() for field, (content, _, _) in call.form.items() if field != "file"}
        assert fields == {
            "model": "the-model",
            "response_format": "json",
            "temperature": "0.5",
            "language": "en",
            "prompt": "Dashwood, é",
        }


def test_options_that_an_api_does_not_have_are_warned_of() -> None:
    """What cannot be passed on is said, not dropped in silence."""
    options = TranscriptionOptions(top_p=0.5, max_tokens=9)
    call = send(ApiKind.TRANSCRIPTIONS, hum(1), {"text": "x"}, options)
    assert [warning.split()[0] for warning in call.transcript.warnings] == ["top_p", "max_tokens"]


@pytest.mark.parametrize("etag", ['"v"', None])
@settings(max_examples=20, deadline=None)
@given(samples=st.integers(4_000, 70_000), chunked=st.booleans())
def test_bodies_of_a_stream_are_whole(etag: str | None, samples: int, chunked: bool) -> None:  # noqa: FBT001 # drawn
    """Whatever is known of its length and version, both bodies announce their length and hold exactly the audio."""
    data = hum(samples / 8000, sample_rate_hz=8000)
    headers = {"ETag": etag} if etag else {}
    if chunked:
        headers["Content_Length"] = ""
    with serve(lambda peer: peer.answer(data, **headers)) as server:
        downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]))
        with UrlSource(server.url, downloader=downloads, max_bytes=10**9, deadline=Deadline(30)) as source:
            chunk = only_chunk(source)
            call = send(ApiKind.CHAT, chunk, chat_answer("x"))
            assert (call.chat_audio, call.is_chunked) == (data, False)
            call = send(ApiKind.TRANSCRIPTIONS, chunk, {"text": "x"})
            assert (call.form["file"][0], call.is_chunked) == (data, False)
            assert (chunk.payload.memory_bytes > 0) == (etag is None or chunked)


@pytest.mark.parametrize("speaks", list(ApiKind))
def test_source_that_fails_during_the_upload(speaks: ApiKind) -> None:
    """A source that breaks off is an error of the source, and the API never gets a whole request."""
    data = hum(30)
    with serve(lambda peer: peer.answer(data[:-1], Content_Length=str(len(data)), ETag='"v"')) as server:
        downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]))
        with UrlSource(server.url, downloader=downloads, max_bytes=10**9, deadline=Deadline(30)) as source:
            chunk = only_chunk(source)
            with pytest.raises(SourceFailedError, match="broke off"):
                send(speaks, chunk, chat_answer("x") | {"text": "x"})


@pytest.mark.parametrize("max_tokens", [None, 50])
def test_stop_for_length_is_an_error(max_tokens: int | None) -> None:
    """A transcript that the model cut off is never returned; a user's own limit is named as the cause."""
    answer = chat_answer("And so my fellow", reason="length")
    with pytest.raises(TruncatedTranscriptError) as caught:
        send(ApiKind.CHAT, hum(1), answer, TranscriptionOptions(max_tokens=max_tokens))
    assert caught.value.param == ("max_tokens" if max_tokens else None)
    assert "fellow" not in caught.value.message


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": ["list"]}, "finish_reason": "stop"}]},
        chat_answer("half", reason="content_filter"),
        {"choices": [{"message": {"content": "x"}, "finish_reason": {}}]},
        {"choices": [{"message": {"content": "x"}, "finish_reason": ["stop"]}]},
    ],
)
def test_chat_answer_without_a_message(answer: dict[str, Any]) -> None:
    """An answer of another shape, or one that ended for another reason, is a failure of the API."""
    with pytest.raises(ApiFailedError):
        send(ApiKind.CHAT, hum(1), answer)


@pytest.mark.parametrize("answer", [{}, {"text": None}, {"text": ["x"]}])
def test_transcription_without_text(answer: dict[str, Any]) -> None:
    """An answer without a text is a failure of the API."""
    with pytest.raises(ApiFailedError):
        send(ApiKind.TRANSCRIPTIONS, hum(1), answer)


def test_empty_text_is_a_transcript() -> None:
    """An empty text is a transcript like any other."""
    assert send(ApiKind.TRANSCRIPTIONS, hum(1), {"text": ""}).transcript.text == ""
    for empty in ("", None):
        assert send(ApiKind.CHAT, hum(1), chat_answer(empty)).transcript.text == ""


VERBOSE = {"text": "And so. My fellow", "language": "english", "duration": 2.0}


def segment(start: object, end: object, text: object) -> dict[str, object]:
    return {"id": 0, "start": start, "end": end, "text": text, "avg_logprob": -0.1}


def test_times_are_asked_for_where_they_are_wanted() -> None:
    """With times wanted, the form asks for verbose_json, and segments, language and usage are read from the answer."""
    answer = VERBOSE | {"segments": [segment(0, 0.9, " And so."), segment(1, 2, " My fellow"), segment(2, 2, " ")]}
    call = send(ApiKind.TRANSCRIPTIONS, hum(2), answer, wants_times=True)
    assert call.form["response_format"][0] == b"verbose_json"
    assert call.transcript == ChunkTranscript(
        text="And so. My fellow",
        model="the-model",
        segments=(Segment(0.0, 0.9, "And so."), Segment(1.0, 2.0, "My fellow")),
        language="english",
        usage=Usage(calls=1, audio_seconds=2.0),
    )
    call = send(ApiKind.TRANSCRIPTIONS, hum(2), {"text": "And so"})
    assert (call.form["response_format"][0], call.transcript.segments, call.transcript.language) == (
        b"json",
        None,
        None,
    )


@pytest.mark.parametrize(
    "segments",
    [
        None,
        "And so. My fellow",
        ["And so. My fellow"],
        [segment("0", 2, "And so. My fellow")],
        [segment(0, None, "And so. My fellow")],
        [segment(0, 2, None)],
        [segment(0, 2, "And so.")],
        [segment(0, 2, "And so. My fellow"), segment(2, 3, "Americans")],
    ],
    ids=["none", "a-text", "texts", "times-as-text", "no-end", "no-text", "too-few-words", "too-many-words"],
)
def test_segments_that_are_none(segments: object) -> None:
    """Segments of another shape, or with other words than the text, are passed over; the text is taken."""
    transcript = send(ApiKind.TRANSCRIPTIONS, hum(2), VERBOSE | {"segments": segments}, wants_times=True).transcript
    assert (transcript.text, transcript.segments) == ("And so. My fellow", None)


class Refusing:
    """An API that refuses requests with a text in them; `formats` has each model and the format that was requested."""

    def __init__(self, *, refused: str) -> None:
        self.refused = refused.encode()
        self.formats: list[tuple[str, str]] = []

    def __call__(self, peer: Peer) -> None:
        form = Recorded(peer.request, ChunkTranscript(text="", model="")).form
        self.formats.append((form["model"][0].decode(), form["response_format"][0].decode()))
        if self.refused in peer.request:
            peer.answer(b'{"error": {"message": "not supported"}}', status="400 X")
        else:
            peer.answer(b'{"text": "And so"}')


def request_times(backend: Backend, url: str, *models: str) -> None:
    client = GenerativeApi(Settings(api_key="key", api_url=url), retry=RetryPolicy(max_attempts=1))
    for model in models:
        transcript = backend.transcribe(
            inline_chunk(hum(1)),
            model=model,
            options=DEFAULTS,
            api=client,
            context=CallContext(Deadline(30)),
            wants_times=True,
        )
        assert transcript.text == "And so"


def test_refusal_of_times_is_remembered() -> None:
    """A model that refuses to give times is asked for them once in an instance's life; another one is asked, too."""
    api = Refusing(refused="verbose_json")
    with serve(api) as server:
        request_times(TranscriptionsBackend(), server.url, "a", "a", "b")
    expected = [("a", "verbose_json"), ("a", "json"), ("a", "json"), ("b", "verbose_json"), ("b", "json")]
    assert api.formats == expected


def test_other_refusals_are_not_taken_for_one_of_times() -> None:
    """What is refused without times, too, is an error, and says nothing about times."""
    api = Refusing(refused="the-model")
    backend = TranscriptionsBackend()
    with serve(api) as server:
        for _ in range(2):
            with pytest.raises(ApiRefusedError):
                request_times(backend, server.url, "the-model")
    assert [name for _, name in api.formats] == ["verbose_json", "json"] * 2


@pytest.mark.parametrize(
    ("says", "text"),
    [('Here is the transcript:\n\n"And so, my fellow."', "And so, my fellow."), ("(No speech detected.)", "")],
)
def test_what_a_chat_model_writes_around_the_words(says: str, text: str) -> None:
    """Wrapping goes where our own instruction was given, and stays where the client's was, which may have wanted it."""
    assert send(ApiKind.CHAT, hum(1), chat_answer(says)).transcript.text == text
    options = TranscriptionOptions(prompt="Summarise it in one sentence.")
    assert send(ApiKind.CHAT, hum(1), chat_answer(says), options).transcript.text == says


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 30, "completion_tokens": 7, "total_tokens": 37}, (30, 7)),
        ({"prompt_tokens": None, "completion_tokens": "7"}, (0, 0)),
        ("none", (0, 0)),
    ],
)
def test_usage_of_a_chat(usage: object, tokens: tuple[int, int]) -> None:
    """Tokens are those that the API counted, if it did; calls and seconds are our own count."""
    counted = send(ApiKind.CHAT, hum(1), chat_answer("And so") | {"usage": usage}).transcript.usage
    assert counted == Usage(1, 1.0, *tokens)


@pytest.mark.parametrize("kind", list(ApiKind))
def test_what_may_be_the_models_is_warned_of(kind: ApiKind) -> None:
    """What stays in a text, and may be the model's own, is a warning with the minutes of the chunk."""
    text = "Speaker 1: So he came."
    answer = chat_answer(text) if kind is ApiKind.CHAT else {"text": text}
    transcript = send(kind, hum(2), answer).transcript
    assert transcript.text == text
    assert transcript.warnings == (
        "From 0:00 to 0:02 the text may hold what the model added to the words, and it was kept: labels of speakers.",
    )


def test_instruction_of_a_clients_own_is_left_alone() -> None:
    """Who asks a chat model for labels, or for JSON, gets them, without a warning."""
    options = TranscriptionOptions(prompt="Transcribe with the label of each speaker, as JSON.")
    text = '{"text": "Speaker 1: So he came."}'
    transcript = send(ApiKind.CHAT, hum(2), chat_answer(text), options).transcript
    assert (transcript.text, transcript.warnings) == (text, ())


def test_segments_lose_what_their_text_loses() -> None:
    """The API's times are kept where its segments have the frames of the text; others are not taken for its words."""
    segments = [segment(0, 1, "[00:00] So he came."), segment(1, 2, "[00:01] And left.")]
    answer = {"text": "[00:00] So he came.\n[00:01] And left.", "segments": segments}
    transcript = send(ApiKind.TRANSCRIPTIONS, hum(2), answer, wants_times=True).transcript
    assert (transcript.text, transcript.warnings) == ("So he came.\nAnd left.", ())
    assert transcript.segments == (Segment(0, 1, "So he came."), Segment(1, 2, "And left."))
    answer = {"text": '{"text": "So he came."}', "segments": [segment(0, 2, '{"text": "So he came."}')]}
    transcript = send(ApiKind.TRANSCRIPTIONS, hum(2), answer, wants_times=True).transcript
    assert transcript.segments == (Segment(0, 2, "So he came."),)
    answer = {
        "text": "Speaker 1: Yes.\nSpeaker 2: No.",
        "segments": [segment(0, 1, "Speaker 1: Yes."), segment(1, 2, "Speaker 2: No.")],
    }
    transcript = send(ApiKind.TRANSCRIPTIONS, hum(2), answer, wants_times=True).transcript
    assert (transcript.text, transcript.segments) == ("Yes.\nNo.", None)
