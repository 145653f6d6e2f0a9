"""Forms of text: what browsers, curl and SDKs send becomes the same request as JSON, and binary is refused."""

import base64
import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from transcriber.errors import RequestError
from transcriber.request.base64_text import Base64Text
from transcriber.request.event import HttpRequest
from transcriber.request.openai_api import ChatReply
from transcriber.request.parse import read_request
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import TranscriptionRequest, UrlReference
from transcriber.response_format import ResponseFormat
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key")
AUDIO = bytes(range(256)) * 4
ENCODED = base64.b64encode(AUDIO).decode()
URL = "https://example.com/a.mp3?b=c&d=é"
PATHS = ["/", "/v1/audio/transcriptions", "/v1/chat/completions", "/mounted/anywhere"]
URLENCODED = "application/x-www-form-urlencoded"


def multipart(*fields: tuple[str, Any], files: dict[str, Any] | None = None) -> tuple[str, str]:
    """Body and content type of a form as `requests` sends it; the body as the platform hands it over."""
    parts = [(name, (None, value)) for name, value in fields] + list((files or {}).items())
    sent = requests.Request("POST", "http://a.example", files=parts).prepare()
    assert isinstance(sent.body, bytes)
    return sent.body.decode(errors="replace"), str(sent.headers["Content-Type"])


def read(form: tuple[str, str], path: str = "/v1/audio/transcriptions", **query: str) -> TranscriptionRequest:
    body, content_type = form
    request = read_request(HttpRequest("POST", path, {"content-type": content_type}, query, body, "the-id"), SETTINGS)
    assert isinstance(request, TranscriptionRequest)
    return request


def refusal(form: tuple[str, str], path: str = "/v1/audio/transcriptions") -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(form, path)
    return caught.value


@pytest.mark.parametrize("path", PATHS)
def test_each_source_on_every_path(path: str) -> None:
    """A form names its recording by an address, an object, or base64 text, whatever the path and the kind of form."""
    for fields, source in (
        ({"url": URL}, UrlReference(URL)),
        ({"bucket": "recordings", "key": "a b/é+.mp3"}, ObjectReference("recordings", "a b/é+.mp3")),
        ({"file": ENCODED}, Base64Text(ENCODED.encode())),
        ({"audio": f"data:audio/mp3;base64,{ENCODED}"}, Base64Text(ENCODED.encode())),
    ):
        assert read(multipart(*fields.items()), path).source == source
        assert read((urlencode(fields), URLENCODED), path).source == source


def test_a_form_is_the_same_request_as_json() -> None:
    """Options have the same effect in a form, where each is a text, as in JSON."""
    options = {"model": "whisper-large-v3", "language": "fr", "temperature": 0.4, "response_format": "verbose_json"}
    options |= {
        "timestamp_granularities[]": ["segment"],
        "prompt": "Zoë & co: 50 % =",
        "callback": "https://a.example/c",
    }
    headers = {"content-type": "application/json"}
    body = json.dumps({"url": URL, **options})
    same = read_request(HttpRequest("POST", "/v1/audio/transcriptions", headers, {}, body, "the-id"), SETTINGS)
    texts = [(name, str(value[0] if isinstance(value, list) else value)) for name, value in options.items()]
    assert read(multipart(("url", URL), *texts)) == same
    assert read((urlencode([("url", URL), *texts]), URLENCODED)) == same


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=XyZ", "multipart/form-data", "text/plain", ""])
@pytest.mark.parametrize("before", ["", "A preamble that means nothing.\r\n"])
def test_the_form_of_a_form(newline: str, content_type: str, before: str) -> None:
    """Any line end, a label that is lost, and lines around the parts leave a form what it is."""
    if before and "boundary" not in content_type:
        return  # without a header, the body's first line has to be the boundary
    lines = [
        "--XyZ",
        'content-disposition:form-data;name="file";filename="talk.b64"',
        "Content-Type: text/plain; charset=utf-8",
        "",
        *base64.encodebytes(AUDIO).decode().split("\n"),
        "--XyZ",
        "Content-Disposition: form-data; name=response_format",
        "",
        "srt",
        "--XyZ--",
        "an epilogue",
    ]
    request = read((before + newline.join(lines), content_type))
    assert request.source == Base64Text(ENCODED.encode())
    assert request.options.response_format is ResponseFormat.SRT


def test_empty_fields_count_as_none() -> None:
    """A file that a client insists on, and fields that nobody has filled in, are as if they were not there."""
    form = multipart(("url", URL), ("language", ""), ("prompt", " "), files={"file": ("upload", b"")})
    assert read(form) == read(multipart(("url", URL)))
    assert read((f"url={URL.partition('?')[0]}&language=&file=", URLENCODED)).source
    assert "names no recording" in refusal(multipart(("url", ""))).message


def test_plus_signs_that_were_sent_as_they_are() -> None:
    """`curl -d file=$(base64 talk.mp3)` makes spaces of the text's plus signs; they are restored."""
    assert "+" in ENCODED
    assert read((f"file={ENCODED}&language=en", URLENCODED)).source == Base64Text(ENCODED.encode())
    assert read((f"file=data:audio/mp3;base64,{ENCODED}", URLENCODED)).source == Base64Text(ENCODED.encode())


def test_bodies_that_curl_labels_as_a_form() -> None:
    """The label alone makes no form: base64 text and JSON, which `curl -d` labels so, stay what they are."""
    for encoded in (ENCODED, base64.b64encode(AUDIO[:-1]).decode(), base64.urlsafe_b64encode(AUDIO[:-2]).decode()):
        assert isinstance(read((encoded, URLENCODED), "/").source, Base64Text)
    assert read((json.dumps({"url": "https://a.example/b?c=d&e=f"}), URLENCODED)).source


@pytest.mark.parametrize("name", ["file", "recording"])
def test_binary_is_refused(name: str) -> None:
    """A file of bytes was destroyed on its way: the message shows each way that works, forms among them."""
    for audio in (AUDIO, b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(99)):
        message = refusal(multipart(("model", "whisper"), files={name: ("a.mp3", audio)})).message
        assert all(way in message for way in ("multipart form", "base64", "-F file=@-", "url", "bucket", "OpenAI"))
    destroyed = (f"file={AUDIO.decode(errors='replace')}", URLENCODED)
    assert "base64" in refusal(destroyed).message


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ([("url", URL), ("file", ENCODED)], "file", "2 sources"),
        ([("bucket", "recordings")], "key", "send both"),
        ([("uri", URL)], "uri", "Did you mean url?"),
        ([("url", URL), ("langage", "fr")], "langage", "Did you mean language?"),
        ([("url", URL), ("language", "fr"), ("language", "en")], "language", "text"),
        ([("file", ENCODED), ("file", ENCODED)], "file", "file"),
        ([("file", "Hello world, this is no base64 at all")], "file", "not base64"),
        ([("url", URL), ("temperature", "warm")], "temperature", "a number"),
        ([("sweep", "{}")], "sweep", "not a field"),
        ([("Records", "[]")], "Records", "not a field"),
        ([("job", "{}")], "job", "not a field"),
        ([("url", URL), *((f"x{number}", "y") for number in range(300))], None, "200 fields"),
    ],
)
def test_refusals_name_the_field(fields: list[tuple[str, str]], param: str | None, says: str) -> None:
    """What is wrong with a form is named as in JSON; what only triggers send is no field of a form."""
    for form in (multipart(*fields), (urlencode(fields), URLENCODED)):
        error = refusal(form)
        assert (error.param, error.status) == (param, 400)
        assert says in error.message


def test_text_that_is_not_utf8() -> None:
    """Words of another encoding, which have lost characters on their way, are refused and not half taken."""
    assert "UTF-8" in refusal(multipart(("url", URL), ("prompt", b"caf\xe9"))).message
    for body in (f"url=https://a.example&prompt=caf{chr(0xFFFD)}", "url=https://a.example&prompt=caf%E9"):
        assert "UTF-8" in refusal((body, URLENCODED)).message


def test_the_chat_path_answers_as_a_chat() -> None:
    """A form at the path of chat completions is answered as one, with the prompt as its instruction."""
    request = read(multipart(("url", URL), ("prompt", "Translate."), ("stream", "true")), "/v1/chat/completions")
    assert request.reply == ChatReply("chatcmpl-the-id", is_streamed=True)
    assert (request.options.response_format, request.options.prompt_is_instruction) == (ResponseFormat.TEXT, True)


def test_options_in_the_query_go_with_a_form() -> None:
    """The query string holds options beside a form, but none of them twice."""
    assert read(multipart(("url", URL)), language="fr").options.language == "fr"
    with pytest.raises(RequestError, match="leave one out"):
        read(multipart(("url", URL), ("language", "fr")), language="fr")


def test_a_part_without_a_name() -> None:
    """A part of which nothing says what it is, is refused and not guessed at."""
    assert "no name" in refusal(("--a\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a--", "")).message


@given(
    st.text(st.sampled_from("-\r\n:;=\"'% abc[]&+name"), max_size=60), st.sampled_from(["multipart", URLENCODED, ""])
)
def test_any_text_is_read_or_refused(text: str, label: str) -> None:
    """Whatever a form holds, the answer is a request or a refusal of ours."""
    content_type = "multipart/form-data; boundary=-a" if label == "multipart" else label
    for body in (f'---a\r\nContent-Disposition: form-data; name="url"\r\n\r\n{text}\r\n---a--', f"url={text}", text):
        with suppress(RequestError):
            read((body, content_type))
