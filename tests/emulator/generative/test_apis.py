"""Tests of the emulated Generative APIs: answers, refusals and the record of requests, with the stub recogniser."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from support.generative_requests import VOXTRAL, WHISPER, Caller, audio_part, chat_body
from support.recordings import recording, silence

from emulator.audio_check import MAX_AUDIO_BYTES
from emulator.generative.server import GenerativeServer
from emulator.recognisers.stub import stand_in_text

SPEECH = recording("jfk.wav")
SPEECH_TEXT = stand_in_text(SPEECH, 11.0)
# "Transcribe this audio" in the stub's tokens, and a padded window of 30 s at 80 ms a token.
PROMPT_TOKENS = 3 + 375


@pytest.fixture(scope="module")
def server() -> Iterator[GenerativeServer]:
    with GenerativeServer(recogniser="stand-in", key="the-key") as apis:
        yield apis


@pytest.fixture
def caller(server: GenerativeServer) -> Iterator[Caller]:
    yield Caller(server.url, server.key)
    server.clear()


def with_messages(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"model": VOXTRAL, "messages": [{"role": role, "content": list(parts)}]}


def labelled(data: str, audio_format: str = "wav") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}


def events(response: requests.Response) -> list[Any]:
    """The data of each server-sent event; the last has to be the end of the stream."""
    assert response.headers["Content-Type"].startswith("text/event-stream")
    *data, last = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert last == "[DONE]"
    return [json.loads(event) for event in data]


def test_models_are_listed_as_openai_does(caller: Caller) -> None:
    """The list of models has OpenAI's format, and both models."""
    listed = caller.models().json()
    assert listed["object"] == "list"
    assert [(entry["id"], entry["object"]) for entry in listed["data"]] == [(WHISPER, "model"), (VOXTRAL, "model")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="no key"),
        pytest.param({"Authorization": "the-key"}, 401, id="no scheme"),
        pytest.param({"Authorization": "Basic the-key"}, 401, id="another scheme"),
        pytest.param({"Authorization": "Bearer the-kex"}, 403, id="wrong key"),
        pytest.param({"Authorization": "Bearer ключ"}, 403, id="key beyond ASCII"),
        pytest.param({"Authorization": "bearer the-key"}, 200, id="scheme in lower case"),
    ],
)
def test_key_is_needed(caller: Caller, headers: dict[str, str], status: int) -> None:
    """Without a bearer key the answer is 401, with a wrong one 403, and no answer repeats the sent key."""
    raw = {name: value.encode() for name, value in headers.items()}
    response = requests.get(f"{caller.url}/models", headers=raw, timeout=60)
    assert response.status_code == status
    assert "the-ke" not in response.text


@pytest.mark.parametrize("route", ["/nothing", "/chat", "/models/"])
def test_unknown_route_is_404(caller: Caller, route: str) -> None:
    """A route that does not exist is a 404 in the usual format."""
    response = caller.post(route, json={})
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_other_methods_are_405(caller: Caller) -> None:
    """A wrong method of a known route is a 405 with the allowed ones."""
    response = requests.get(f"{caller.url}/chat/completions", headers=caller.headers, timeout=60)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_chat_answers_with_the_transcript(caller: Caller) -> None:
    """A chat completion has OpenAI's format, exactly the audio's transcript, and the right usage."""
    answer = caller.chat(chat_body(SPEECH, temperature=0.2, max_tokens=2048, top_p=0.95)).json()
    (choice,) = answer["choices"]
    assert (answer["object"], answer["model"]) == ("chat.completion", VOXTRAL)
    assert choice["message"] == {"role": "assistant", "content": SPEECH_TEXT}
    assert choice["finish_reason"] == "stop"
    assert answer["usage"] == {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": 9,
        "total_tokens": PROMPT_TOKENS + 9,
    }


def test_output_is_cut_at_max_tokens(caller: Caller) -> None:
    """An output longer than max_tokens is cut there, has that finish reason, and is counted as it was sent."""
    answer = caller.chat(chat_body(SPEECH, max_tokens=2)).json()
    (choice,) = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("stand-in transcript", "length")
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("stop", [" of", ["never", " of"]], ids=["one", "several"])
def test_output_ends_at_a_stop(caller: Caller, stop: Any) -> None:
    """The output ends before the first stop sequence, with the finish reason `stop`."""
    (choice,) = caller.chat(chat_body(SPEECH, stop=stop)).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("stand-in transcript", "stop")


def test_chat_is_streamed(caller: Caller) -> None:
    """A stream's deltas form the text; the last choice has the finish reason; usage is sent if requested."""
    body = chat_body(SPEECH, stream=True, stream_options={"include_usage": True})
    *chunks, usage = events(caller.chat(body))
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content", "") for delta in deltas) == SPEECH_TEXT
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[-2:]] == [None, "stop"]
    assert (usage["choices"], usage["usage"]["prompt_tokens"]) == ([], PROMPT_TOKENS)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "0.2"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 16_385}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": 16_385}, "max_completion_tokens"),
        ({"n": 2}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"seed": "one"}, "seed"),
        ({"messages": []}, "messages"),
        ({"messages": "Transcribe"}, "messages"),
    ],
    ids=str,
)
def test_chat_options_are_checked(caller: Caller, change: dict[str, Any], param: str) -> None:
    """An option out of its range, or of a wrong type, is a 400 that names it."""
    response = caller.chat(chat_body(SPEECH) | change)
    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith(param)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        pytest.param(chat_body(SPEECH, model="voxtral-mini"), 422, "does not exist", id="unknown model"),
        pytest.param({"messages": []}, 422, "model is missing", id="no model"),
        pytest.param(chat_body(SPEECH, model=WHISPER), 400, "does not support the Chat", id="Whisper does not chat"),
        pytest.param(with_messages({"type": "text", "text": "Hello"}), 400, "only transcribes", id="no audio"),
        pytest.param(with_messages(audio_part(SPEECH), audio_part(SPEECH)), 400, "there are 2", id="two audios"),
        pytest.param(with_messages(audio_part(SPEECH), role="robot"), 400, "role", id="unknown role"),
        pytest.param(with_messages({"type": "audio_url"}), 400, "input_audio", id="another kind of part"),
        pytest.param(with_messages(audio_part(SPEECH, "m4a")), 400, "format", id="format of another kind"),
        pytest.param(with_messages(audio_part(SPEECH, "mp3")), 400, "the audio is wav", id="false format"),
        pytest.param(with_messages(labelled("not base64!")), 400, "base64", id="no base64"),
        pytest.param(with_messages(labelled("é")), 400, "base64", id="base64 beyond ASCII"),
        pytest.param(with_messages(labelled("QUJD\nQUJD")), 400, "base64", id="base64 in lines"),
        pytest.param(with_messages(labelled("data:audio/wav;base64,QUJD")), 400, "base64", id="data URL"),
        pytest.param(with_messages(labelled("")), 400, "not audio", id="empty audio"),
        pytest.param(with_messages(labelled("QUJDREVG")), 400, "not audio", id="bytes that are not audio"),
        pytest.param(with_messages(audio_part(silence(1, channels=3))), 400, "3 channels", id="three channels"),
        pytest.param(chat_body(silence(1_801, sample_rate_hz=1_000)), 400, "at most 1800 s", id="over 30 minutes"),
        pytest.param(
            chat_body(silence(1_700, sample_rate_hz=1_000), max_tokens=16_384),
            400,
            "32768 tokens",
            id="over the context",
        ),
        pytest.param([], 400, "JSON object", id="JSON of another kind"),
    ],
)
def test_chat_refusals(caller: Caller, body: Any, status: int, message: str) -> None:
    """A request that the real API refuses is refused with its status and a reason, which never contains the audio."""
    response = caller.chat(body)
    assert response.status_code == status
    assert message in response.json()["error"]["message"]
    assert len(response.text) < 500


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        pytest.param(b"{", "application/json", id="broken"),
        pytest.param(b"\xff{}", "application/json", id="no Unicode"),
        pytest.param(b"", "application/json", id="empty"),
        pytest.param(json.dumps(chat_body(SPEECH)).encode(), "text/plain", id="not declared as JSON"),
    ],
)
def test_chat_needs_json(caller: Caller, data: bytes, content_type: str) -> None:
    """A body that is not a JSON object, or is not declared as JSON, is a 400."""
    headers = {**caller.headers, "Content-Type": content_type}
    response = requests.post(f"{caller.url}/chat/completions", data=data, headers=headers, timeout=60)
    assert response.status_code == 400


@pytest.mark.parametrize("fields", [{}, {"response_format": "json"}], ids=["default", "json"])
def test_transcription_as_json(caller: Caller, fields: dict[str, str]) -> None:
    """The default answer has the text, and as usage the audio's length in seconds, rounded up."""
    audio = silence(2.1)
    assert caller.transcribe(audio, **fields).json() == {
        "text": stand_in_text(audio, 2.1),
        "usage": {"type": "duration", "seconds": 3},
    }


def test_transcription_as_text(caller: Caller) -> None:
    """`text` is the transcript only."""
    response = caller.transcribe(SPEECH, response_format="text")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text == SPEECH_TEXT


def test_transcription_as_verbose_json(caller: Caller) -> None:
    """`verbose_json` adds task, language, length and segments in seconds."""
    fields = {"response_format": "verbose_json", "language": "fr", "timestamp_granularities[]": "segment"}
    assert caller.transcribe(SPEECH, **fields).json() == {
        "task": "transcribe",
        "language": "fr",
        "duration": 11.0,
        "text": SPEECH_TEXT,
        "segments": [{"id": 0, "start": 0.0, "end": 11.0, "text": SPEECH_TEXT}],
        "usage": {"type": "duration", "seconds": 11},
    }


def test_transcription_is_streamed(caller: Caller) -> None:
    """A stream's deltas form the text, and the last one has the finish reason."""
    chunks = events(caller.transcribe(SPEECH, stream="true"))
    assert {chunk["object"] for chunk in chunks} == {"transcription.chunk"}
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == SPEECH_TEXT
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_voxtral_transcribes_too(caller: Caller) -> None:
    """The transcriptions API serves the chat model, too."""
    assert caller.transcribe(SPEECH, model=VOXTRAL).json()["text"] == SPEECH_TEXT


@pytest.mark.parametrize(
    ("audio", "fields", "status", "message"),
    [
        pytest.param(SPEECH, {"model": "whisper-1"}, 422, "does not exist", id="unknown model"),
        pytest.param(SPEECH, {"response_format": "srt"}, 400, "response_format", id="srt"),
        pytest.param(SPEECH, {"response_format": "vtt"}, 400, "response_format", id="vtt"),
        pytest.param(
            SPEECH, {"model": VOXTRAL, "response_format": "verbose_json"}, 400, "verbose_json", id="no segments"
        ),
        pytest.param(SPEECH, {"stream": "true", "response_format": "verbose_json"}, 400, "streamed", id="no stream"),
        pytest.param(SPEECH, {"temperature": "1.1"}, 400, "temperature", id="temperature too high"),
        pytest.param(SPEECH, {"temperature": "warm"}, 400, "temperature", id="temperature no number"),
        pytest.param(SPEECH, {"language": "English"}, 400, "language", id="language by its name"),
        pytest.param(SPEECH, {"language": "fr-FR"}, 400, "language", id="language with a country"),
        pytest.param(SPEECH, {"timestamp_granularities[]": "word"}, 400, "timestamp_granularities", id="words"),
        pytest.param(SPEECH, {"timestamp_granularities[]": "segment"}, 400, "verbose_json", id="segments in json"),
        pytest.param(b"not audio at all", {}, 400, "not audio", id="not audio"),
        pytest.param(silence(1, channels=3), {}, 400, "3 channels", id="three channels"),
        pytest.param(silence(1_801, sample_rate_hz=1_000), {"model": VOXTRAL}, 400, "at most 1800 s", id="over 30 min"),
    ],
)
def test_transcription_refusals(
    caller: Caller, audio: bytes, fields: dict[str, str], status: int, message: str
) -> None:
    """A request that the real API refuses is refused with its status and a message, in the flat format."""
    response = caller.transcribe(audio, **fields)
    assert response.status_code == status
    error = response.json()
    assert (error["object"], error["code"]) == ("error", status)
    assert message in error["message"]


def test_whisper_has_no_longest_duration(caller: Caller) -> None:
    """Audio that is too long for Voxtral is accepted for Whisper."""
    assert caller.transcribe(silence(1_801, sample_rate_hz=1_000)).ok


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"other": ("a.wav", SPEECH)}, "missing", id="no file"),
        pytest.param({"file": (None, SPEECH)}, "no filename", id="no filename"),
        pytest.param({"file": ("", SPEECH)}, "no filename", id="empty filename"),
    ],
)
def test_file_and_its_name_are_needed(caller: Caller, files: Any, message: str) -> None:
    """The audio has to be a part named file with a filename, even if the part is large."""
    response = caller.post("/audio/transcriptions", data={"model": WHISPER}, files=files)
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_transcriptions_need_multipart(caller: Caller) -> None:
    """A JSON body is refused by the transcriptions API."""
    response = caller.post("/audio/transcriptions", json={"model": WHISPER})
    assert (response.status_code, "multipart" in response.json()["message"]) == (400, True)


def test_largest_audio_is_taken(caller: Caller) -> None:
    """Both APIs accept audio of exactly 25 MiB; the JSON around it then has more than 33 MiB."""
    audio = silence(MAX_AUDIO_BYTES / 32_000)[:MAX_AUDIO_BYTES]
    assert f"{MAX_AUDIO_BYTES} bytes" in caller.chat(chat_body(audio)).json()["choices"][0]["message"]["content"]
    assert f"{MAX_AUDIO_BYTES} bytes" in caller.transcribe(audio).json()["text"]


def test_too_large_a_body_is_413(caller: Caller) -> None:
    """A body too large for any allowed audio is refused, and the client receives the answer."""
    assert caller.chat(chat_body(bytes(32 * 1024 * 1024))).status_code == 413


@pytest.mark.parametrize("chunk_bytes", [1_000, 1_000_000])
def test_chunked_bodies_are_read(caller: Caller, server: GenerativeServer, chunk_bytes: int) -> None:
    """A body without a stated length is read whole, and the record has its transfer encoding."""
    body = json.dumps(chat_body(SPEECH)).encode()
    chunks = (body[start : start + chunk_bytes] for start in range(0, len(body), chunk_bytes))
    headers = {**caller.headers, "Content-Type": "application/json"}
    response = requests.post(f"{caller.url}/chat/completions", data=chunks, headers=headers, timeout=60)
    assert response.json()["choices"][0]["message"]["content"] == SPEECH_TEXT
    (received,) = server.requests()
    assert (received["transfer_encoding"], received["body_size_bytes"]) == ("chunked", len(body))


def test_model_can_be_retired(caller: Caller, server: GenerativeServer) -> None:
    """A removed model is not listed, and answered with a 422, until the models are restored."""
    server.set_models([WHISPER])
    assert [entry["id"] for entry in caller.models().json()["data"]] == [WHISPER]
    assert caller.chat(chat_body(SPEECH)).status_code == 422
    server.clear()
    assert caller.chat(chat_body(SPEECH)).ok


def test_other_model_serves_both_apis(caller: Caller, server: GenerativeServer) -> None:
    """A model with an unknown name, as in a dedicated deployment, is served by both APIs."""
    server.set_models(["my-deployment"])
    assert caller.chat(chat_body(SPEECH, model="my-deployment")).ok
    assert caller.transcribe(SPEECH, model="my-deployment").ok


def test_chat_request_is_recorded(caller: Caller, server: GenerativeServer) -> None:
    """The record of a chat request has its options, its audio and the audio's format, but never the key."""
    body = chat_body(SPEECH, temperature=0.2, max_tokens=7)
    caller.chat(body)
    (received,) = server.requests()
    assert received.pop("received_at") <= received.pop("answered_at")
    digest = hashlib.sha256(SPEECH).hexdigest()
    assert received == {
        "method": "POST",
        "path": "/v1/chat/completions",
        "content_type": "application/json",
        "transfer_encoding": None,
        "body_size_bytes": len(json.dumps(body)),
        "model": VOXTRAL,
        "prompt": "Transcribe this audio",
        "options": {"temperature": 0.2, "max_tokens": 7},
        "audio": {
            "sha256": digest,
            "size_bytes": len(SPEECH),
            "format": "wav",
            "filename": None,
            "content_type": None,
        },
        "fault": None,
        "status": 200,
    }
    assert server.key not in json.dumps(received)


def test_transcription_request_is_recorded(caller: Caller, server: GenerativeServer) -> None:
    """The record of a multipart request has its options, and its file's name and type."""
    form = {"model": WHISPER, "prompt": "Kennedy", "language": "en", "timestamp_granularities[]": ["segment", "word"]}
    caller.post("/audio/transcriptions", data=form, files={"file": ("b.mp3", SPEECH, "audio/mpeg")})
    (received,) = server.requests()
    assert (received["model"], received["prompt"], received["status"]) == (WHISPER, "Kennedy", 400)
    assert received["options"] == {"language": "en", "timestamp_granularities[]": ["segment", "word"]}
    assert (received["audio"]["filename"], received["audio"]["content_type"]) == ("b.mp3", "audio/mpeg")
    assert received["audio"]["size_bytes"] == len(SPEECH)


@pytest.mark.parametrize(
    "body",
    [None, 1, {"messages": [1]}, {"messages": [{"content": [1, {"input_audio": 1}]}]}, {"model": 5}],
    ids=json.dumps,
)
def test_malformed_requests_are_recorded_too(caller: Caller, server: GenerativeServer, body: Any) -> None:
    """A request with malformed JSON is refused as the client's error, and recorded."""
    status = caller.chat(body).status_code
    (received,) = server.requests()
    assert status == received["status"]
    assert status in {400, 422}
