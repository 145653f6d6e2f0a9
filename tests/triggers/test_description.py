"""What triggers are answered is what the function's OpenAPI document has."""

import json
from typing import Any

from support.api_description import ApiDescription
from support.handling import Handle
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
