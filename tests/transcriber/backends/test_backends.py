"""The two backends: what they send, made while it is sent, and what they make of the answer."""

import base64
import json
from collections.abc import Callable, Mapping
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import serve
from recordings import recording, silence

from transcriber.audio import identify
from transcriber.backends import BACKENDS, chat, transcriptions
from transcriber.body import Body
from transcriber.chunks import Chunk, cut
from transcriber.deadline import Deadline
from transcriber.encoded import read_base64
from transcriber.errors import ApiFailedError, SourceFailedError, TruncatedTranscriptError
from transcriber.options import TranscriptionOptions
from transcriber.settings import AllowedHost, Speaks
from transcriber.sources.base import Source
from transcriber.sources.guard import Guard
from transcriber.sources.inline import InlineSource
from transcriber.sources.url import Downloads, UrlSource

DEFAULTS = TranscriptionOptions()


class Answering:
    """Stands for the API: keeps each body as it would be sent, and answers with what it was given."""

    def __init__(self, answer: Mapping[str, Any] | None = None) -> None:
        self.answer = answer or {}
        self.path = ""
        self.announced: int | None = None
        self.content_type = ""
        self.sent = b""

    def post(self, path: str, make_body: Callable[[], Body], *, deadline: Deadline) -> Mapping[str, Any]:  # noqa: ARG002
        body = make_body()
        self.path, self.content_type, self.announced = path, body.content_type, body.size_bytes
        self.sent = b"".join(body.pieces)
        return self.answer

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.sent)
        assert isinstance(value, dict)
        return value

    @property
    def form(self) -> dict[str, tuple[bytes, str | None, str]]:
        """Content, filename and content type of each part, by the standard library's parser of messages."""
        head = f"Content-Type: {self.content_type}\r\n\r\n".encode()
        message = BytesParser().parsebytes(head + self.sent)
        parts: dict[str, tuple[bytes, str | None, str]] = {}
        for part in message.get_payload():
            name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
            content = part.get_payload(decode=True)  # type: ignore[union-attr]
            parts[str(name)] = (bytes(content), part.get_filename(), part.get_content_type())  # type: ignore
        return parts


def inline_chunk(data: bytes) -> Chunk:
    source = InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)
    return cut(identify(source, max_seconds=10**5))[0]


def send(api: Answering, speaks: Speaks, data: bytes, options: TranscriptionOptions = DEFAULTS) -> Any:
    chunk = inline_chunk(data)
    return BACKENDS[speaks].transcribe(chunk, model="the-model", options=options, api=api, deadline=Deadline(5))


def chat_answer(text: object, *, reason: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}]}


@pytest.mark.parametrize("name", ["jfk.wav", "jfk.mp3"])
def test_chat_request(name: str) -> None:
    """A chat request holds the instruction, the audio with the label of its bytes, and defaults for a transcription."""
    api, data = Answering(chat_answer(" And so ")), recording(name)
    piece = send(api, Speaks.CHAT, data)
    assert (piece.text, piece.model) == ("And so", "the-model")
    assert api.path == "/chat/completions"
    assert api.announced == len(api.sent)
    text, audio = api.json["messages"][0]["content"]
    assert text == {"type": "text", "text": chat.INSTRUCTION}
    assert audio["input_audio"]["format"] == name[-3:]
    assert base64.b64decode(audio["input_audio"]["data"], validate=True) == data
    assert (api.json["model"], api.json["temperature"]) == ("the-model", 0)
    assert api.json["max_tokens"] == chat.MIN_OUTPUT_TOKENS


def test_chat_options() -> None:
    """The user's prompt replaces the instruction, whatever it holds, and the language is told beside it."""
    prompt = 'Say "@audio@" \\ and "data": "@audio@"\n{}'
    options = TranscriptionOptions(prompt=prompt, language="fr", temperature=0.7, top_p=0.5, max_tokens=99)
    api, data = Answering(chat_answer("x")), recording("austen-0880.wav")
    send(api, Speaks.CHAT, data, options)
    text, audio = api.json["messages"][0]["content"]
    assert text["text"].startswith(prompt)
    assert text["text"].endswith("is fr (ISO 639-1).")
    assert base64.b64decode(audio["input_audio"]["data"]) == data
    assert [api.json[name] for name in ("temperature", "top_p", "max_tokens")] == [0.7, 0.5, 99]


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


@pytest.mark.parametrize(("seconds", "tokens"), [(0.5, 512), (60, 600), (600, 6000), (1800, 6500), (None, 6500)])
def test_output_budget(seconds: float | None, tokens: int) -> None:
    """The budget holds three times what is normally said, and leaves room for the audio in the model's context."""
    assert chat.output_budget(seconds) == tokens


def test_transcriptions_request() -> None:
    """A form holds the model, the options, and the file as it is with the name and type of its bytes."""
    options = TranscriptionOptions(language="en", prompt="Dashwood, é", temperature=0.5)
    for name, content_type in (("jfk.wav", "audio/wav"), ("jfk.mp3", "audio/mpeg")):
        api, data = Answering({"text": " And so\n"}), recording(name)
        assert send(api, Speaks.TRANSCRIPTIONS, data, options).text == "And so"
        assert api.path == "/audio/transcriptions"
        assert api.announced == len(api.sent)
        assert api.form["file"] == (data, f"audio.{name[-3:]}", content_type)
        fields = {field: content.decode() for field, (content, _, _) in api.form.items() if field != "file"}
        assert fields == {
            "model": "the-model",
            "response_format": "json",
            "temperature": "0.5",
            "language": "en",
            "prompt": "Dashwood, é",
        }


def test_options_that_an_api_does_not_have_are_warned_of() -> None:
    """What cannot be passed on is said, not dropped in silence."""
    piece = send(
        Answering({"text": "x"}), Speaks.TRANSCRIPTIONS, silence(1), TranscriptionOptions(top_p=0.5, max_tokens=9)
    )
    assert [warning.split()[0] for warning in piece.warnings] == ["top_p", "max_tokens"]


@pytest.mark.parametrize("etag", ['"v"', None])
@given(samples=st.integers(1, 70_000), chunked=st.booleans())
def test_bodies_of_a_stream_are_whole(etag: str | None, samples: int, chunked: bool) -> None:  # noqa: FBT001 # drawn
    """Whatever the length, and whether or not it is announced, both bodies hold exactly the audio, for each try."""
    data = silence(samples / 8000, sample_rate_hz=8000)
    headers = {"ETag": etag} if etag else {}
    if chunked:
        headers["Content_Length"] = ""
    with serve(lambda peer: peer.answer(data, **headers)) as server:
        downloads = Downloads(Guard([AllowedHost(name="127.0.0.1")]))
        with UrlSource(server.url, downloads=downloads, max_bytes=10**9, deadline=Deadline(30)) as source:
            chunk = cut(identify(source, max_seconds=10**5))[0]
            for attempt in range(2):
                api = Answering()
                api.post("", lambda: chat.make_body(chunk, "m", DEFAULTS), deadline=Deadline(5))
                sent = api.json["messages"][0]["content"][1]["input_audio"]["data"]
                assert base64.b64decode(sent, validate=True) == data
                assert api.announced == (None if chunked and not attempt else len(api.sent))
                api.post("", lambda: transcriptions.make_body(chunk, "m", DEFAULTS), deadline=Deadline(5))
                assert api.form["file"][0] == data
                assert api.announced == len(api.sent)


@pytest.mark.parametrize("make_body", [chat.make_body, transcriptions.make_body])
def test_nothing_is_sent_of_audio_that_cannot_be_had(make_body: Callable[..., Body]) -> None:
    """When the source fails, the body fails before its first piece."""
    chunk = inline_chunk(silence(1))

    class Gone(Source):
        kind = "gone"

        def _connect(self) -> Any:
            raise SourceFailedError("gone")

    gone = Chunk(type(chunk.audio)(Gone(max_bytes=10), chunk.audio.container, chunk.audio.layout))
    with pytest.raises(SourceFailedError):
        next(make_body(gone, "m", DEFAULTS).pieces)


@pytest.mark.parametrize("max_tokens", [None, 50])
def test_stop_for_length_is_an_error(max_tokens: int | None) -> None:
    """A transcript that the model cut off is never returned; a user's own limit is named as the cause."""
    api = Answering(chat_answer("And so my fellow", reason="length"))
    with pytest.raises(TruncatedTranscriptError) as caught:
        send(api, Speaks.CHAT, silence(1), TranscriptionOptions(max_tokens=max_tokens))
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
    ],
)
def test_chat_answer_without_a_message(answer: dict[str, Any]) -> None:
    """An answer of another shape, or one that ended for another reason, is a failure of the API."""
    with pytest.raises(ApiFailedError):
        send(Answering(answer), Speaks.CHAT, silence(1))


@pytest.mark.parametrize("answer", [{}, {"text": None}, {"text": ["x"]}])
def test_transcription_without_text(answer: dict[str, Any]) -> None:
    """An answer without a text is a failure of the API."""
    with pytest.raises(ApiFailedError):
        send(Answering(answer), Speaks.TRANSCRIPTIONS, silence(1))


def test_silence_is_an_empty_text() -> None:
    """An empty text is a transcript like any other."""
    assert send(Answering({"text": ""}), Speaks.TRANSCRIPTIONS, silence(1)).text == ""
    for empty in ("", None):
        assert send(Answering(chat_answer(empty)), Speaks.CHAT, silence(1)).text == ""
