"""Uploads: read from every envelope that they come in, and told from everything else."""

import json
from pathlib import Path
from typing import Any

import pytest

from transcriber.errors import RequestError
from transcriber.request.s3_events import MAX_RECORDS, ObjectReference, UploadEvent, read_uploads

EVENTS = Path(__file__).parents[2] / "events"
TALK = ObjectReference("recordings", "incoming/a talk (café).mp3")


def body_of(name: str) -> dict[str, Any]:
    body = json.loads(json.loads((EVENTS / f"{name}.json").read_text())["body"])
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize(
    ("name", "objects"),
    [
        ("upload", (TALK,)),
        ("upload-sns", (TALK,)),
        ("upload-several", (ObjectReference("recordings", "a.mp3"), ObjectReference("recordings", "b.wav"))),
        ("upload-removed", ()),
        ("upload-test", ()),
    ],
)
def test_uploads_are_read_from_each_envelope(name: str, objects: tuple[ObjectReference, ...]) -> None:
    """Keys are decoded once, an object in two records is one, and a record that is not of an upload is ignored."""
    assert read_uploads(body_of(name)) == UploadEvent(objects)


@pytest.mark.parametrize("name", ["queue-object", "queue-job", "cron-sweep"])
def test_other_events_are_none(name: str) -> None:
    """Requests and sweeps are not taken for uploads."""
    assert read_uploads(body_of(name)) is None


def test_keys_are_decoded_once() -> None:
    """A key that holds a percent sign or a plus of its own keeps it."""
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "100%2525+1%2B1.mp3"}},
    }
    assert read_uploads({"Records": [record]}) == UploadEvent((ObjectReference("b", "100%25 1+1.mp3"),))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"Records": {}}, "Records"),
        ({"Records": [{}] * (MAX_RECORDS + 1)}, "Records"),
        ({"Records": [1]}, "Records[0].eventName"),
        (
            {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "k"}}}]},
            "Records[0].s3.bucket.name",
        ),
        (
            {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}}}]},
            "Records[0].s3.object.key",
        ),
        (
            {
                "Records": [
                    {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "%ff"}}}
                ]
            },
            "Records[0].s3.object.key",
        ),
        ({"Type": "Notification", "Message": "hello"}, "Message"),
        ({"Type": "Notification", "Message": 5}, "Message"),
        ({"Type": "Notification", "Message": "[" * 100_000}, "Message"),
    ],
)
def test_malformed_records_are_refused(fields: dict[str, Any], param: str) -> None:
    """A record that cannot be read is an error that names the part, so that it is not taken for success."""
    with pytest.raises(RequestError) as caught:
        read_uploads(fields)
    assert caught.value.param == param
