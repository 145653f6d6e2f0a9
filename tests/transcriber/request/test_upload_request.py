"""A request for an upload: what it must say, and what is wrong with it."""

import json
from typing import Any

import pytest

from transcriber.errors import AuthenticationError, RequestError
from transcriber.request.event import read_event
from transcriber.request.parse import Request, read_request
from transcriber.request.upload_request import UploadRequest
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key")


def read(body: object, *, path: str = "/v1/uploads", settings: Settings = SETTINGS, **headers: str) -> Request:
    text = body if isinstance(body, str) else json.dumps(body)
    return read_request(read_event({"httpMethod": "POST", "path": path, "headers": headers, "body": text}), settings)


@pytest.mark.parametrize("path", ["/v1/uploads", "/uploads/", "/a/mount/v1/uploads"])
def test_upload(path: str) -> None:
    """A name and a size are enough, wherever the function is mounted."""
    assert read({"filename": "talk.mp3", "bytes": 7}, path=path) == UploadRequest("talk.mp3", 7)


def test_upload_as_clients_of_openai_make_it() -> None:
    """OpenAI's own call adds a media type, which the PUT will have, and a purpose, which means nothing here."""
    fields = {"filename": "talk.mp3", "bytes": 7, "mime_type": "audio/mpeg", "purpose": "assistants"}
    assert read(fields) == UploadRequest("talk.mp3", 7, "audio/mpeg")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "filename"),
        ({"filename": "a.mp3"}, "bytes"),
        ({"filename": "", "bytes": 7}, "filename"),
        ({"filename": 7, "bytes": 7}, "filename"),
        ({"filename": "a" * 1_025, "bytes": 7}, "filename"),
        *(({"filename": "a.mp3", "bytes": size}, "bytes") for size in (0, -1, 1.5, "7", True, None)),
        ({"filename": "a.mp3", "bytes": 7, "mime_type": "audio"}, "mime_type"),
        ({"filename": "a.mp3", "bytes": 7, "mime_type": "audio/mpeg\r\nX-Evil: 1"}, "mime_type"),
        ({"filename": "a.mp3", "bytes": 7, "mime_type": 7}, "mime_type"),
        ({"filename": "a.mp3", "bytes": 7, "file": "…"}, "file"),
    ],
)
def test_what_is_wrong_with_an_upload(fields: dict[str, Any], param: str) -> None:
    """A field that is missing, unknown or of another kind is named."""
    with pytest.raises(RequestError) as caught:
        read(fields)
    assert caught.value.param == param


@pytest.mark.parametrize("body", ["AAAA" * 20, "-1", "not JSON", "[]"])
def test_a_file_instead_of_its_description(body: str) -> None:
    """A body that is no JSON object is a malformed request, and never taken for the recording."""
    with pytest.raises(RequestError, match="JSON"):
        read(body)


def test_upload_needs_the_token() -> None:
    """Where callers need a token, an upload needs it, too."""
    guarded = Settings(api_key="key", access_token="token")
    with pytest.raises(AuthenticationError):
        read({"filename": "a.mp3", "bytes": 7}, settings=guarded)
    assert read({"filename": "a.mp3", "bytes": 7}, settings=guarded, Authorization="Bearer token")
