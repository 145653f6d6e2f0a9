"""What triggers are answered is what the function's OpenAPI document has."""

import json
from typing import Any

import pytest
from support.api_description import ApiDescription
from support.handling import Handle, new_instance
from support.object_storage import BUCKET
from support.triggering import TALK, Api, event, post, upload


def test_answers_to_triggers_are_as_described(handle: Handle, s3: Any, api: Api) -> None:
    """Uploads, sweeps and objects have answers of the document, when they succeed and when they fail."""
    document = json.loads(handle({"httpMethod": "GET", "path": "/openapi.json"}, {})["body"])
    description = ApiDescription(document)
    upload(s3)
    sweep = {"sweep": {"bucket": BUCKET, "prefix": "incoming/", "limit": 1}}
    events = [event("upload"), post(sweep), post({"bucket": BUCKET, "key": TALK}), post({"sweep": {}})]
    api.statuses = ["500 X"] * 8
    for each in (*events, *events):
        description.check_answer("post", "/", handle(each, {}))
        api.statuses = []


def test_the_schemas_of_triggers_are_those_of_their_events(handle: Handle) -> None:
    """The events of storage and schedule fit their schemas."""
    document = json.loads(handle({"httpMethod": "GET", "path": "/openapi.json"}, {})["body"])
    description = ApiDescription(document)
    description.schema("UploadEvent").validate(json.loads(event("upload")["body"]))
    description.schema("Sweep").validate({"sweep": {"bucket": BUCKET, "prefix": "incoming/", "limit": None}})
    assert not description.schema("Sweep").is_valid({"sweep": {"bucket": BUCKET}, "more": 1})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"filename": "talk.mp3", "bytes": 1000}, 201),
        ({"filename": "talk.mp3", "bytes": 1000, "mime_type": "audio/mpeg", "purpose": "any"}, 201),
        ({"filename": "talk.mp3", "bytes": 10**12}, 413),
        ({"filename": "talk.mp3", "bytes": 0}, 400),
        ({"filename": "talk.mp3", "bytes": 1, "mime_type": "audio"}, 400),
        ({"filename": "", "bytes": 1}, 400),
        ({"filename": "talk.mp3"}, 400),
        ({"filename": "talk.mp3", "bytes": 1, "more": 1}, 400),
    ],
)
@pytest.mark.usefixtures("handle")
def test_uploads_are_as_described(environment: pytest.MonkeyPatch, body: dict[str, Any], status: int) -> None:
    """Requests for uploads fit their schema where they are taken, and their answers are of the document."""
    environment.setenv("OUTPUT_BUCKET", BUCKET)
    handle = new_instance()
    description = ApiDescription(json.loads(handle({"httpMethod": "GET", "path": "/openapi.json"}, {})["body"]))
    answer = handle({**post(body), "path": "/v1/uploads"}, {})
    assert answer["statusCode"] == status
    description.check_answer("post", "/v1/uploads", answer)
    assert description.schema("UploadRequest").is_valid(body) is (status != 400)
