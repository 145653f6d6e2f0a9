"""JSON Schemas of what triggers send: sweeps and upload events; imported by the description of the API alone."""

from transcriber.request.fields import MAX_KEY_BYTES
from transcriber.request.request_schemas import BUCKET, Schema
from transcriber.request.s3_events import MAX_RECORDS
from transcriber.request.sweep_request import MAX_LIMIT


def sweep_request() -> Schema:
    """The request of a schedule."""
    prefix = {"type": ["string", "null"], "maxLength": MAX_KEY_BYTES}
    limit = {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_LIMIT}
    sweep = {
        "type": "object",
        "required": ["bucket"],
        "properties": {"bucket": BUCKET, "prefix": prefix, "limit": limit},
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "required": ["sweep"],
        "properties": {"sweep": sweep},
        "additionalProperties": False,
    }


def upload_event() -> Schema:
    """S3 records, as a storage or a queue sends them."""
    name = {"type": "object", "required": ["name"], "properties": {"name": BUCKET}}
    key = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string", "minLength": 1}}}
    record = {
        "type": "object",
        "required": ["eventName", "s3"],
        "properties": {
            "eventName": {"type": "string"},
            "s3": {"type": "object", "required": ["bucket", "object"], "properties": {"bucket": name, "object": key}},
        },
    }
    return {
        "type": "object",
        "required": ["Records"],
        "properties": {"Records": {"type": "array", "maxItems": MAX_RECORDS, "items": record}},
    }
