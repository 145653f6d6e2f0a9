"""`GET /openapi.json`: valid OpenAPI 3.1, and what the function really takes and answers."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from support.api_description import ApiDescription
from support.handling import KEY, VOXTRAL, FakeApi, Handle, audio, new_instance, post
from support.recordings import hum, recording, silence
from support.schema_values import values_of

from transcriber.errors import RequestError
from transcriber.request.event import HttpRequest
from transcriber.request.openai_api import CHAT_FIELDS, ApiPath
from transcriber.request.options import OPTIONS
from transcriber.request.parse import read_request
from transcriber.request.request_schemas import OPTION_SCHEMAS, SOURCE_SCHEMAS
from transcriber.request.transcription_fields import KNOWN_FIELDS
from transcriber.response_format import ResponseFormat
from transcriber.settings import Settings

ROOT = Path(__file__).parents[2]
TRANSCRIPTIONS, CHAT = "/v1/audio/transcriptions", "/v1/chat/completions"
SHORT = base64.b64encode(hum(1)).decode()


def description_of(handle: Handle, path: str = "/openapi.json") -> ApiDescription:
    answer = handle({"httpMethod": "GET", "path": path}, {})
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/json")
    return ApiDescription(json.loads(answer["body"]))


@pytest.mark.parametrize("path", ["/openapi.json", "/v1/openapi.json", "/any/prefix/openapi.json/"])
def test_it_is_valid_openapi(handle: Handle, api: FakeApi, path: str) -> None:
    """Under any prefix there is a valid document of OpenAPI 3.1, made without a call."""
    document = description_of(handle, path).document
    validate(document)
    assert document["openapi"].startswith("3.1.")
    assert api.calls == []


@pytest.mark.usefixtures("handle")
def test_it_holds_no_secret_and_no_token_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an access token set, the document is still there for who has none, and has no secret in it."""
    monkeypatch.setenv("ACCESS_TOKEN", "the-access-token")
    monkeypatch.setenv("MODELS", VOXTRAL)
    text = json.dumps(description_of(new_instance()).document)
    assert VOXTRAL in text
    assert "the-access-token" not in text
    assert KEY not in text


def test_it_costs_no_cold_start() -> None:
    """Importing the handler imports nothing of the description."""
    script = "import sys, handler; print([name for name in sys.modules if 'schemas' in name or 'openapi' in name])"
    found = subprocess.run(  # noqa: S603 # this Python
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_each_path_is_described(handle: Handle) -> None:
    """The document has each path that requests are read by."""
    paths = description_of(handle).document["paths"]
    assert all(any(path.endswith(known) for path in paths) for known in ApiPath)


def test_each_field_has_a_schema(handle: Handle) -> None:
    """What requests are read by, and the document, name the same fields."""
    schemas = description_of(handle).document["components"]["schemas"]
    assert set(schemas["TranscriptionRequest"]["properties"]) == set(KNOWN_FIELDS)
    assert set(schemas["ChatCompletionRequest"]["properties"]) == set(CHAT_FIELDS)
    assert set(OPTION_SCHEMAS) == set(OPTIONS)
    assert all(OPTION_SCHEMAS.values())
    assert set(SOURCE_SCHEMAS) <= set(KNOWN_FIELDS)


ACCEPTED: list[dict[str, Any]] = [
    {"model": "whisper-large-v3"},
    {"language": "fr-FR"},
    {"language": None},
    {"prompt": "x" * 8_000},
    {"temperature": 0},
    {"temperature": 2},
    {"top_p": 0.001},
    {"top_p": 1},
    {"max_tokens": 1},
    {"max_tokens": 16_384},
    *({"response_format": str(each)} for each in ResponseFormat),
    {"response_format": "verbose_json", "timestamp_granularities": ["segment"]},
    {"response_format": "verbose_json", "timestamp_granularities[]": "segment"},
    {"dry_run": True},
    {"dry_run": False},
    {"async": False},
    {"async": "true"},
    {"callback": "https://example.com/hook"},
    {"webhook_url": "HTTP://example.com"},
]
REFUSED: list[dict[str, Any]] = [
    {"model": ""},
    {"model": "x" * 201},
    {"model": 7},
    {"language": "french"},
    {"language": "f"},
    {"prompt": "  "},
    {"prompt": "x" * 8_001},
    {"temperature": -0.1},
    {"temperature": 2.1},
    {"temperature": True},
    {"top_p": 0},
    {"top_p": 1.1},
    {"max_tokens": 0},
    {"max_tokens": 16_385},
    {"max_tokens": 1.5},
    {"response_format": "xml"},
    {"timestamp_granularities": [7]},
    {"dry_run": "perhaps"},
    {"async": 1},
    {"async": "perhaps"},
    {"callback": "ftp://example.com"},
    {"callback": 7},
    {"nothing": 1},
    {"url": "https://example.com/a.mp3"},  # a second source
]
SOURCES: list[dict[str, Any]] = [
    {"url": "https://example.com/a.mp3"},
    {"audio": SHORT},
    {"input_audio": {"data": SHORT, "format": "wav"}},
    {"input_audio": {"data": SHORT}},
    {"file": SHORT},
    {"bucket": "recordings", "key": "incoming/a.mp3"},
]
NO_SOURCES: list[dict[str, Any]] = [
    {},
    {"bucket": "recordings"},
    {"key": "a.mp3"},
    {"audio": ""},
    {"input_audio": {"format": "wav"}},
    {"input_audio": {"data": SHORT, "rate": 8}},
    {"url": 7},
    {"url": "https://example.com/a.mp3", "audio": SHORT},
    {"url": "https://example.com/a.mp3", "bucket": "recordings", "key": "a.mp3"},
    {"bucket": "-", "key": "a.mp3"},
]


def is_read(fields: Mapping[str, Any], path: str = "/") -> bool:
    """Whether the function takes a request, as far as its fields are concerned."""
    request = HttpRequest("POST", path, {}, {}, json.dumps(fields), "an-id")
    try:
        read_request(request, Settings(api_key=KEY))
    except RequestError:
        return False
    return True


@pytest.mark.parametrize(("fields", "is_right"), [
    *(({"audio": SHORT, **each}, True) for each in ACCEPTED),
    *(({"audio": SHORT, **each}, False) for each in REFUSED),
    *((each, True) for each in SOURCES),
    *((each, False) for each in NO_SOURCES),
])  # fmt: skip
def test_schemas_and_function_agree(handle: Handle, fields: dict[str, Any], is_right: bool) -> None:  # noqa: FBT001 # of the table
    """What the schema of a request allows is read, and what it forbids is refused."""
    assert description_of(handle).schema("TranscriptionRequest").is_valid(fields) is is_right
    assert is_read(fields) is is_right


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("name", sorted(OPTION_SCHEMAS))
def test_what_a_schema_allows_is_read(name: str, data: st.DataObject) -> None:
    """Each value that the schema of an option allows is one that the function takes."""
    value = data.draw(values_of(OPTION_SCHEMAS[name]))
    goes_with = {"response_format": "verbose_json"} if name.startswith("timestamp_granularities") else {}
    assert is_read({"audio": SHORT, **goes_with, name: value}), value


def chat(*parts: object, **fields: object) -> dict[str, Any]:
    return {"model": VOXTRAL, "messages": [{"role": "user", "content": [*parts]}], **fields}


PART = {"type": "input_audio", "input_audio": {"data": SHORT, "format": "wav"}}


@pytest.mark.parametrize(
    ("fields", "is_right"),
    [
        (chat(PART), True),
        (chat(PART, {"type": "text", "text": "Transcribe this."}, stream=True, n=1), True),
        (chat({"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}}, stop=None), True),
        (chat({"type": "input_audio", "input_audio": SHORT}, response_format={"type": "text"}), True),
        (chat(PART, {"type": "text", "text": " "}), True),
        (chat({"type": "file", "file": {"file_data": f"data:audio/wav;base64,{SHORT}"}}), True),
        (chat({"type": "file", "file": {"file_id": "https://example.com/a.mp3"}}), True),
        (chat({"type": "file", "file": {"file_id": "file-abc"}}), False),
        (chat(PART, n=2), False),
        (chat(PART, stream="yes"), False),
        (chat({"type": "image_url", "image_url": "x"}), False),
        (chat(PART, nothing=1), False),
        ({"messages": []}, False),
        ({"model": VOXTRAL, "messages": [{"role": "tool", "content": [PART]}]}, False),
    ],
)
def test_chat_schema_and_function_agree(handle: Handle, fields: dict[str, Any], is_right: bool) -> None:  # noqa: FBT001 # of the table
    """The same for chat completions."""
    assert description_of(handle).schema("ChatCompletionRequest").is_valid(fields) is is_right
    assert is_read(fields, CHAT) is is_right


REQUESTS: list[tuple[str, str, dict[str, Any] | str]] = [
    *(("/", "post", {**audio(recording("jfk.mp3")), "response_format": str(each)}) for each in ResponseFormat),
    *((TRANSCRIPTIONS, "post", {"file": SHORT, "response_format": str(each)}) for each in ResponseFormat),
    ("/", "post", {**audio(recording("jfk.mp3")), "dry_run": True}),
    ("/", "post", audio(silence(2))),
    ("/", "post", {**audio(hum(2)), "top_p": 0.5}),  # with a warning
    ("/", "post", SHORT),
    (CHAT, "post", chat(PART)),
    (CHAT, "post", chat(PART, stream=True, stream_options={"include_usage": True})),
    (CHAT, "post", chat(PART, dry_run=True)),
    ("/", "get", ""),
    ("/v1/models", "get", ""),
    ("/v1/models/whisper-large-v3", "get", ""),
    ("/v1/models/whisper-huge", "get", ""),
    ("/openapi.json", "get", ""),
    # Errors.
    ("/", "post", ""),
    ("/", "post", {"nothing": 1}),
    ("/", "post", audio(b"no audio, whatever is said about it" * 9)),
    ("/", "post", {"url": "http://127.0.0.1/a.mp3"}),
    ("/", "post", {**audio(hum(2)), "model": "whisper-huge"}),
    ("/", "post", {"bucket": "recordings", "key": "a.mp3"}),
    (TRANSCRIPTIONS, "post", {"file": SHORT, "stream": True}),
    (TRANSCRIPTIONS, "post", {"file": SHORT, "stream": True, "response_format": "srt"}),
    (TRANSCRIPTIONS, "post", {"file": SHORT, "async": True}),
    (CHAT, "post", chat(PART, n=2)),
]


@pytest.mark.parametrize(("path", "method", "body"), REQUESTS)
def test_answers_are_as_described(handle: Handle, path: str, method: str, body: dict[str, Any] | str) -> None:
    """Each real answer has a status, a content type, headers and a body that the document has."""
    description = description_of(handle)
    event = {**post(body), "httpMethod": method.upper(), "path": path}
    description.check_answer(method, path, handle(event, {}))


@pytest.mark.parametrize("status", ["400", "401", "404", "413", "422", "429", "500", "503", "504"])
def test_the_apis_failures_are_as_described(handle: Handle, api: FakeApi, status: str) -> None:
    """Whatever the API answers, the function's answer is one that the document has."""
    description = description_of(handle)
    error = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
    api.conversation = lambda peer: peer.answer(json.dumps(error).encode(), status=f"{status} X", Retry_After="9")
    description.check_answer("post", "/", handle(post(audio(hum(1))), {}))


@pytest.mark.usefixtures("handle")
def test_a_wrong_token_and_a_wrong_setting_are_as_described(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 401 and a 500 of the settings have the described form."""
    description = description_of(handle)
    monkeypatch.setenv("ACCESS_TOKEN", "the-access-token")
    refused = new_instance()(post(audio(hum(1))), {})
    assert refused["statusCode"] == 401
    description.check_answer("post", "/", refused)
    monkeypatch.setenv("MODELS", "unknown")
    wrong = new_instance()({"httpMethod": "GET", "path": "/"}, {})
    assert wrong["statusCode"] == 500
    description.check_answer("get", "/", wrong)
