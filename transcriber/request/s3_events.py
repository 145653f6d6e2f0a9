"""Reads upload events of Object Storage, in each envelope that they come in; knows nothing of results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from transcriber.errors import RequestError
from transcriber.request.body import parse_bounded, refuse_half_characters
from transcriber.request.fields import is_bucket, is_key
from transcriber.request.trigger import Trigger

# More than any store puts in one message; each costs a transcription.
MAX_RECORDS = 100


@dataclass(frozen=True)
class ObjectReference:
    """The audio is an object in Object Storage."""

    bucket: str
    key: str


@dataclass(frozen=True)
class UploadEvent:
    """Objects that were created; none when the event is about something else, such as a removal or a test."""

    trigger: ClassVar[Trigger] = Trigger.UPLOAD

    objects: tuple[ObjectReference, ...]


def read_uploads(fields: Mapping[str, Any]) -> UploadEvent | None:
    """The uploads that `fields` report, in an SNS envelope or without; None when they are something else.

    `RequestError` when they are records that cannot be read.
    """
    if fields.get("Type") == "Notification" and "Message" in fields:
        fields = _read_message(fields["Message"])
    if fields.get("Event") == "s3:TestEvent":
        return UploadEvent(())
    if "Records" not in fields:
        return None
    records = fields["Records"]
    if not isinstance(records, list) or len(records) > MAX_RECORDS:
        raise RequestError(f"Records is a list of at most {MAX_RECORDS} records.", param="Records")
    objects = (_read_record(record, index) for index, record in enumerate(records))
    return UploadEvent(tuple(dict.fromkeys(reference for reference in objects if reference)))


def _read_message(message: object) -> Mapping[str, Any]:
    try:
        fields = parse_bounded(message) if isinstance(message, str) else None
        refuse_half_characters(fields)
    except (ValueError, RecursionError, RequestError):
        fields = None
    if not isinstance(fields, dict) or not ("Records" in fields or fields.get("Event") == "s3:TestEvent"):
        raise RequestError("The notification's Message is no JSON with Records.", param="Message")
    return fields


def _read_record(record: object, index: int) -> ObjectReference | None:
    """The object that was created; None when the record reports something else, such as a removal."""
    name = _at(record, "eventName")
    if not isinstance(name, str):
        raise _wrong(index, "eventName")
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return None
    bucket = _at(record, "s3", "bucket", "name")
    key = _at(record, "s3", "object", "key")
    if not isinstance(bucket, str) or not is_bucket(bucket):
        raise _wrong(index, "s3.bucket.name")
    # Encoded as in a form, and decoded here, once, for good.
    try:
        decoded = unquote_plus(key, errors="strict") if isinstance(key, str) else ""
    except UnicodeDecodeError:
        decoded = ""
    if not is_key(decoded):
        raise _wrong(index, "s3.object.key")
    return ObjectReference(bucket, decoded)


def _at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _wrong(index: int, name: str) -> RequestError:
    return RequestError(f"Record {index} has no {name} that can be read.", param=f"Records[{index}].{name}"[:100])
