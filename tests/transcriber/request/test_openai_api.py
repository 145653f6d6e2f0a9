"""The OpenAI API's own paths: what its clients send becomes a request, or is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from transcriber.errors import RequestError
from transcriber.request.base64_text import Base64Text
from transcriber.request.event import HttpRequest, read_event
from transcriber.request.openai_api import ApiPath, ChatReply, TranscriptEvents, api_path
from transcriber.request.options import TranscriptionOptions
from transcriber.request.parse import Request, read_request
from transcriber.request.transcription_request import ModelsRequest, StatusRequest, TranscriptionRequest, UrlReference
from transcriber.response_format import ResponseFormat
from transcriber.settings import Settings

EVENTS = Path(__file__).parents[2] / "events"
SETTINGS = Settings(api_key="key", access_token="the-token")
VOXTRAL, WHISPER = "voxtral-small-24b-2507", "whisper-large-v3"
ENCODED = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA="
AUDIO = {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "wav"}}
SAY = {"type": "text", "text": "Transcribe this audio"}


def from_event(name: str) -> HttpRequest:
    return read_event(json.loads((EVENTS / name).read_text()))


def got(path: str, method: str = "GET") -> Request:
    return read_request(HttpRequest(method, path, {}, {}, "", "the-id"), SETTINGS)


def posted(path: str, body: object, **query: str) -> TranscriptionRequest:
    headers = {"authorization": "Bearer the-token"}
    text = body if isinstance(body, str) else json.dumps(body)
    request = read_request(HttpRequest("POST", path, headers, query, text, "the-id"), SETTINGS)
    assert isinstance(request, TranscriptionRequest)
    return request


def chat(*parts: object, **fields: object) -> TranscriptionRequest:
    return posted("/v1/chat/completions", chat_body(*parts, **fields))


def chat_body(*parts: object, **fields: object) -> dict[str, Any]:
    return {"model": VOXTRAL, "messages": [{"role": "user", "content": list(parts or [SAY, AUDIO])}], **fields}


def test_chat_completion_of_the_sdk() -> None:
    """What the SDK sends for a chat completion is a recording, a prompt, and its options."""
    request = read_request(from_event("openai-chat-completion.json"), SETTINGS)
    assert isinstance(request, TranscriptionRequest)
    assert request.source == Base64Text(ENCODED.encode())
    assert request.options == TranscriptionOptions(
        model=VOXTRAL,
        prompt="Transcribe this audio",
        temperature=0.2,
        top_p=0.95,
        max_tokens=2048,
        response_format=ResponseFormat.TEXT,
        prompt_is_instruction=True,
    )
    assert request.reply == ChatReply("chatcmpl-0a1b2c3d-0000-4000-8000-000000000003")


def test_form_of_the_sdk_is_refused() -> None:
    """The form that the SDK sends for a transcription, destroyed on its way, is refused with what works instead."""
    with pytest.raises(RequestError) as caught:
        read_request(from_event("openai-transcription-form.json"), SETTINGS)
    for way in ("multipart form", "chat.completions", "base64", "url"):
        assert way in caught.value.message


def test_transcription_as_json() -> None:
    """A transcription whose file is a data: URL in JSON is a request like any other."""
    request = read_request(from_event("openai-transcription-json.json"), SETTINGS)
    assert isinstance(request, TranscriptionRequest)
    assert (request.source, request.options) == (Base64Text(ENCODED.encode()), TranscriptionOptions(model=WHISPER))
    assert request.reply is None
    same = posted("/v1/audio/transcriptions", {"url": "https://a.example/b", "stream": False, "language": None})
    assert (same.source, same.reply) == (UrlReference("https://a.example/b"), None)
    assert posted("/v1/audio/transcriptions", {"file": ENCODED}).source == Base64Text(ENCODED.encode())
    assert posted("/v1/audio/transcriptions", "A" * 80, model=WHISPER).options.model == WHISPER


def test_models() -> None:
    """A client that lists models gets them, one that names a model gets that, and any other path the status."""
    call = from_event("openai-models.json")
    assert read_request(call, SETTINGS) == ModelsRequest()
    assert got("/v1/models/whisper-large-v3") == ModelsRequest(WHISPER)
    assert got("/v1/models/mistral/voxtral-small-24b-2507:fp8") == ModelsRequest("mistral/voxtral-small-24b-2507:fp8")
    assert got("/") == got("/a/mount") == StatusRequest()


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("/v1/chat/completions", ApiPath.CHAT),
        ("/anywhere/v1/chat/completions/", ApiPath.CHAT),
        ("/audio/transcriptions", ApiPath.TRANSCRIPTIONS),
        ("/v1/models", ApiPath.MODELS),
        ("/", ApiPath.ROOT),
        ("", ApiPath.ROOT),
        ("/v1/chat/completions/more", ApiPath.ROOT),
        ("/v1", ApiPath.ROOT),
    ],
)
def test_paths_are_told_by_their_end(path: str, end: ApiPath) -> None:
    """Wherever the function is mounted, the end of a path says which of the API's it is."""
    assert api_path(path) is end


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (AUDIO, Base64Text(ENCODED.encode())),
        ({"type": "input_audio", "input_audio": ENCODED}, Base64Text(ENCODED.encode())),
        ({"type": "input_audio", "input_audio": "https://a.example/b"}, UrlReference("https://a.example/b")),
        ({"type": "audio_url", "audio_url": {"url": "https://a.example/b"}}, UrlReference("https://a.example/b")),
        (
            {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{ENCODED}"}},
            Base64Text(ENCODED.encode()),
        ),
    ],
)
def test_recording_in_a_message(part: dict[str, Any], source: object) -> None:
    """A recording is found in each of the forms that such APIs have for it."""
    assert chat(SAY, part).source == source


def test_texts_are_the_prompt() -> None:
    """The texts of all messages, in order, are the prompt; without any, the function's own instruction holds."""
    messages = [{"role": "system", "content": "Be exact."}, {"role": "user", "content": [AUDIO, SAY]}]
    assert chat(messages=messages).options.prompt == "Be exact.\n\nTranscribe this audio"
    assert chat(AUDIO).options.prompt is None


def test_text_of_messages_is_an_instruction() -> None:
    """The text of messages is marked as an instruction, which a model that only transcribes cannot use."""
    assert chat(SAY, AUDIO, model=WHISPER).options.prompt_is_instruction
    assert not chat(AUDIO, model=WHISPER).options.prompt_is_instruction


def test_fields_that_change_nothing() -> None:
    """Bookkeeping, null and neutral values are as good as left out; the newer name of max_tokens works."""
    request = chat(
        n=1, stop=None, tools=[], presence_penalty=0.0, logprobs=False, user="me", seed=7, metadata={}, store=True
    )
    assert request == chat()
    assert chat(max_completion_tokens=99).options.max_tokens == 99


def test_response_formats() -> None:
    """The chat API's own spelling of text works, and the formats of transcripts by their names."""
    assert chat(response_format={"type": "text"}) == chat()
    assert chat(response_format="json").options.response_format is ResponseFormat.JSON


def test_a_file_part() -> None:
    """A part with a file, as OpenAI has for documents and LiteLLM for everything, is a source like the others."""
    data = f"data:audio/wav;base64,{ENCODED}"
    for file in ({"file_data": data}, {"filename": "a.wav", "file_data": data, "format": "audio/wav"}):
        assert chat({"type": "file", "file": file}).source == Base64Text(ENCODED.encode())
    assert chat({"type": "file", "file": {"file_data": ENCODED}}).source == Base64Text(ENCODED.encode())
    address = UrlReference("https://a.example/b.wav")
    assert chat({"type": "file", "file": {"file_id": address.url}}).source == address


def test_what_means_nothing_is_let_pass() -> None:
    """An empty text beside the recording, and the query that Azure's clients add, change nothing."""
    assert chat({"type": "text", "text": " "}, AUDIO).options.prompt is None
    quiet = chat_body(AUDIO)
    quiet["messages"].insert(0, {"role": "system", "content": ""})
    assert posted("/v1/chat/completions", quiet) == chat(AUDIO)
    for path in ("/v1/audio/transcriptions", "/v1/chat/completions"):
        body = quiet if "chat" in path else {"file": ENCODED}
        assert posted(path, body, **{"api-version": "2025-04-01-preview"}) == posted(path, body)


def test_streamed_transcription() -> None:
    """A transcription may be answered as events, in JSON as well as in a form."""
    for stream in (True, "true"):
        assert posted("/v1/audio/transcriptions", {"file": ENCODED, "stream": stream}).reply == TranscriptEvents()


def test_streaming() -> None:
    """The options of streaming reach the answer."""
    reply = chat(stream=True, stream_options={"include_usage": True}).reply
    assert reply == ChatReply("chatcmpl-the-id", is_streamed=True, streams_usage=True)


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (ENCODED * 2, None, "JSON"),
        ({"messages": []}, "model", "not empty"),
        (chat_body(messages=None), "messages", "list"),
        (chat_body(messages=["hello"]), "messages", "object"),
        (chat_body(messages=[{"role": "user", "content": [SAY, "text"]}]), "messages", "list of parts"),
        (chat_body(messages=[{"role": "assistant", "content": "Hm."}]), "messages", "not a conversation"),
        (chat_body(SAY), "messages", "there is none"),
        (chat_body(AUDIO, AUDIO), "messages", "there are 2"),
        (chat_body(AUDIO, {"type": "image_url", "image_url": {}}), "messages", "messages[0].content[1]"),
        (chat_body(AUDIO, {"type": "text"}), "messages[0].content[1].text", "text"),
        (chat_body({"type": "input_audio"}), "messages", '"data"'),
        (chat_body({"type": "audio_url", "audio_url": {}}), "messages", '"url"'),
        (chat_body({"type": "input_audio", "input_audio": {"data": "***"}}), "input_audio.data", "base64"),
        (chat_body(n=2), "n", "leave it out"),
        (chat_body(stop=["."]), "stop", "leave it out"),
        (chat_body(tools=[{"type": "function"}]), "tools", "leave it out"),
        (chat_body(temprature=1), "temprature", "Did you mean temperature?"),
        (chat_body(prompt="words"), "prompt", "is not a field"),
        (chat_body(temperature=3), "temperature", "between"),
        (chat_body(response_format={"type": "json_object"}), "response_format", "srt"),
        (chat_body(stream="yes"), "stream", "true or false"),
        (chat_body(stream_options=True), "stream_options", "object"),
    ],
)
def test_refusals_of_chat_completions(body: object, param: str | None, says: str) -> None:
    """What cannot be done is refused, with the field that is wrong."""
    with pytest.raises(RequestError) as caught:
        posted("/v1/chat/completions", body)
    assert (caught.value.param, caught.value.status) == (param, 400)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"file": ENCODED, "audio": ENCODED}, "file"),
        ({"file": ENCODED, "url": "https://a.example/b"}, "file"),
        ({"file": ENCODED, "stream": "yes please"}, "stream"),
        ({"file": ENCODED, "stream": True, "response_format": "vtt"}, "stream"),
        ({"file": 7}, "file"),
        ({"file": ENCODED, "lang": "fr"}, "lang"),
    ],
)
def test_refusals_of_transcriptions(body: object, param: str) -> None:
    """A transcription that cannot be done is refused, with the field that is wrong."""
    with pytest.raises(RequestError) as caught:
        posted("/v1/audio/transcriptions", body)
    assert caught.value.param == param
