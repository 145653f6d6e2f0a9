"""Requests: what a call asks for, or which of its fields is wrong."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from transcriber.errors import AuthenticationError, MethodNotAllowedError, RequestError
from transcriber.request.base64_text import Base64Text
from transcriber.request.event import HttpRequest
from transcriber.request.parse import read_request
from transcriber.request.transcription_request import StatusRequest, TranscriptionRequest, UrlReference
from transcriber.response_format import ResponseFormat
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key")
AUDIO = base64.b64encode(b"RIFF....WAVE" + bytes(range(100))).decode()
URL = "https://example.com/a.mp3"


def call(
    body: object = "",
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> HttpRequest:
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpRequest(method=method, path="/", headers=headers or {}, query=query or {}, body=text, request_id="id")


def transcription(body: object, **query: str) -> TranscriptionRequest:
    request = read_request(call(body, query=query), SETTINGS)
    assert isinstance(request, TranscriptionRequest)
    return request


@pytest.mark.parametrize(
    "body",
    [
        {"audio": AUDIO},
        {"audio": f"data:audio/wav;base64,{AUDIO}"},
        {"input_audio": {"data": AUDIO, "format": "mp3"}},
        {"input_audio": {"data": AUDIO}},
        AUDIO,
        f"data:audio/wav;base64,{AUDIO}",
        f"\n{AUDIO}\n",
        f"\ufeff{AUDIO}",
        "\ufeff" + json.dumps({"audio": AUDIO}),
    ],
    ids=[
        "audio",
        "audio-data-url",
        "input_audio",
        "no-format",
        "body",
        "body-data-url",
        "body-margins",
        "body-bom",
        "json-bom",
    ],
)
def test_audio_in_the_request(body: object) -> None:
    """Audio in the request is found in each of the places that the contract names."""
    assert transcription(body).source == Base64Text(AUDIO.encode())


def test_url() -> None:
    """An address is taken as the source."""
    assert transcription({"url": URL}).source == UrlReference(URL)


def test_null_counts_as_absent() -> None:
    """A field that is null is as good as left out."""
    assert transcription({"url": URL, "audio": None, "language": None, "callback": None}).options.language is None


def test_options_in_the_query_string() -> None:
    """Options of a body that is base64 alone, or of JSON, may stand in the query string."""
    for body in (AUDIO, {"url": URL}):
        options = transcription(body, response_format="text", temperature="0.3").options
        assert (options.response_format, options.temperature) == (ResponseFormat.TEXT, 0.3)


@pytest.mark.parametrize(
    ("body", "query", "param", "says"),
    [
        ("", {}, None, "empty"),
        ("  \n", {}, None, "empty"),
        ("ping", {}, None, "neither"),
        ("true", {}, None, "not an object"),
        ("null", {}, None, "not an object"),
        ("1234", {}, None, "not an object"),
        ("1" * 5000, {}, None, "too long"),
        ('"text"', {}, None, "not an object"),
        ("[]", {}, None, "not an object"),
        ("[" * 100_000, {}, None, "parts"),
        ('{"a": [' + "[]," * 100_000 + "[]]}", {}, None, "parts"),
        ({"\ud800": 1}, {}, None, "half a character"),
        ({"url": "https://example.com/\udfff"}, {}, None, "half a character"),
        ({"url": URL, "callback": "https://example.com/\udfff"}, {}, None, "half a character"),
        ({"sweep": {"bucket": "b", "limit": 2**63}}, {}, "sweep.limit", "at most"),
        ({"url": URL, "timestamp_granularities": [{"a": 1}]}, {}, "timestamp_granularities", "segment"),
        ({"url": URL, "timestamp_granularities": {"word": 1}}, {}, "timestamp_granularities", "segment"),
        ({"x" * 100_000: 1}, {}, "x" * 40, "is not a field"),
        ({"url": URL, "language": "en-" + "a" * 100_000}, {}, "language", "two letters"),
        ("A" * 100_000 + "*", {}, None, "position 100000"),
        ('{"url": NaN}', {}, None, "NaN"),
        ('{"url": "x",}', {}, None, "line 1"),
        ("uri=https://example.com/a.mp3", {}, None, "neither"),
        ("Please transcribe this recording for me, it is at the address that I sent", {}, None, "a space"),
        ({}, {}, "url", "names no recording"),
        ({"language": "fr"}, {}, "url", "names no recording"),
        ({"url": URL, "audio": AUDIO}, {}, "audio", "2 sources"),
        ({"url": URL, "input_audio": {"data": AUDIO}}, {}, "input_audio", "2 sources"),
        ({"url": 7}, {}, "url", "text"),
        ({"url": ""}, {}, "url", "not empty"),
        ({"audio": ["a"]}, {}, "audio", "text"),
        ({"audio": "***"}, {}, "audio", "not base64"),
        ({"input_audio": AUDIO}, {}, "input_audio", "object"),
        ({"input_audio": {"format": "mp3"}}, {}, "input_audio.data", "text"),
        ({"input_audio": {"data": AUDIO, "format": 3}}, {}, "input_audio.format", "text"),
        ({"input_audio": {"data": AUDIO, "fromat": "mp3"}}, {}, "input_audio.fromat", "format"),
        ({"url": URL, "langauge": "fr"}, {}, "langauge", "Did you mean language?"),
        ({"URL": URL}, {}, "URL", "Did you mean url?"),
        ({"url": URL, "zzz": 1}, {}, "zzz", "Known are"),
        ({"url": URL, "temperature": "hot"}, {}, "temperature", "number"),
        ({"url": URL, "timestamp_granularities": ["segment"]}, {}, "timestamp_granularities", "verbose_json"),
        ({"bucket": "b", "url": "https://example.com/"}, {}, "bucket", "2 sources"),
        ({"bucket": "b"}, {}, "key", "send both"),
        ({"key": "k"}, {}, "bucket", "send both"),
        ({"bucket": "../b", "key": "k"}, {}, "bucket", "is not the name"),
        ({"bucket": "b", "key": "k" * 1025}, {}, "key", "1024"),
        ({"job": {"id": "a b", "request": {}}}, {}, "job", "the only field"),
        ({"sweep": {"bucket": "b", "limit": 0}}, {}, "sweep.limit", "above 0"),
        ({"sweep": {"bucket": "b", "prefix": 1}}, {}, "sweep.prefix", "beginning"),
        ({"sweep": {"buckett": "b"}}, {}, "sweep.buckett", "bucket"),
        ({"sweep": {}}, {}, "sweep.bucket", "a text"),
        ({"url": URL, "callback": "example.com"}, {}, "callback", "http or https"),
        ({"url": URL, "webhook_url": 1}, {}, "webhook_url", "a text"),
        ({"url": URL, "callback": URL, "webhook_url": URL}, {}, "webhook_url", "the same"),
        ({"url": URL}, {"url": URL}, "url", "not an option for the query"),
        ({"url": URL, "language": "fr"}, {"language": "en"}, "language", "leave one out"),
        (AUDIO, {"formt": "text"}, "formt", "response_format"),
    ],
)
def test_refusals_name_the_field(body: object, query: dict[str, str], param: str | None, says: str) -> None:
    """A malformed request is refused with the field that is wrong, and what to do instead."""
    with pytest.raises(RequestError) as caught:
        read_request(call(body, query=query), SETTINGS)
    assert caught.value.param == param
    assert says in caught.value.message
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "param", "says_otherwise"),
    [("[" * 5_000, None, "base64"), ('{"url": ' + "[" * 5_000 + "]" * 5_000 + "}", "url", "text")],
)
def test_deep_nesting_is_refused(body: str, param: str | None, says_otherwise: str) -> None:
    """JSON nested deeper than Python reads is refused; a Python that reads it refuses the field that is wrong."""
    with pytest.raises(RequestError) as caught:
        read_request(call(body), SETTINGS)
    refusals = {(None, "deep"), (param, says_otherwise)}
    assert any(caught.value.param == field and says in caught.value.message for field, says in refusals)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        "RIFF$\x00\x00\x00WAVEfmt ",
        "ID3\x04\x00\ufffd\ufffd",
        "\ufffd\ufffd\x10\x00",
        '--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n\ufffd',
        "\x1f\ufffd\x08\x00",
        "\ufffd\ufffd{\x00",
        "\ufffd,{[" * 10_000,
    ],
    ids=["wav", "id3", "mp3", "multipart", "gzip", "utf-16", "large"],
)
def test_destroyed_binary_body_is_recognised(body: str) -> None:
    """A binary body is refused with the three ways that work instead."""
    with pytest.raises(RequestError) as caught:
        read_request(call(body), SETTINGS)
    for way in ("base64", "url", "key"):
        assert way in caught.value.message


def test_methods() -> None:
    """GET and HEAD describe, other methods are told which there are."""
    assert read_request(call(method="GET"), SETTINGS) == StatusRequest()
    assert read_request(call(method="HEAD"), SETTINGS) == StatusRequest()
    with pytest.raises(MethodNotAllowedError) as caught:
        read_request(call(method="DELETE"), SETTINGS)
    assert caught.value.allowed == ("GET", "HEAD", "OPTIONS", "POST")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", "Basic right", "right", "Bearer rightt", "Bearer ünd"]
)
def test_access_token_is_asked_for(authorization: str) -> None:
    """Where ACCESS_TOKEN is set, a POST without it is refused before its body is looked at."""
    guarded = replace(SETTINGS, access_token="right")
    headers = {"authorization": authorization}
    with pytest.raises(AuthenticationError):
        read_request(call("nonsense", headers=headers), guarded)
    assert isinstance(
        read_request(call({"url": URL}, headers={"authorization": "bearer right"}), guarded), TranscriptionRequest
    )
    assert isinstance(read_request(call(method="GET"), guarded), StatusRequest)
