"""JSON Schemas of the answers, and the responses that carry them.

Only the description of the API imports this, so that it costs no cold start.
"""

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from transcriber.errors import TranscriberError
from transcriber.outputs.formats import FORMATS
from transcriber.outputs.plain_json import JSON_TYPE

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
_SECONDS: Final[Schema] = {"type": "number", "minimum": 0}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_WARNINGS: Final[Schema] = {"type": "array", "items": TEXT, "minItems": 1}
_GAP: Final[Schema] = {"type": "array", "items": _SECONDS, "minItems": 2, "maxItems": 2}
_MISSING: Final[Schema] = {
    "type": "array",
    "items": _GAP,
    "minItems": 1,
    "description": "With allow_partial: start and end of each gap, which […] marks in the text.",
}
_USAGE: Final[Schema] = {
    "type": "object",
    "required": ["type", "seconds"],
    "properties": {"type": {"const": "duration"}, "seconds": _COUNT},
}
_TRANSCRIPT: Final[dict[str, Schema]] = {
    "text": TEXT,
    "model": TEXT,
    "duration": _SECONDS,
    "usage": _USAGE,
}
_SEGMENT: Final[Schema] = {
    "type": "object",
    "required": ["id", "start", "end", "text"],
    "properties": {"id": _COUNT, "start": _SECONDS, "end": _SECONDS, "text": TEXT},
}
_JOB: Final[dict[str, Schema]] = {
    "id": TEXT,
    "object": {"const": "transcription.job"},
    "status": {"enum": ["queued", "in_progress", "completed", "failed"]},
    "created_at": _COUNT,
}
_HEADERS: Final[dict[str, Schema]] = {
    "X-Request-Id": {"description": "The request's own, or a new one.", "schema": TEXT},
    "Server-Timing": {"description": "download, prepare, api and total, in milliseconds.", "schema": TEXT},
}
# What every request may be answered, whatever it is about.
ALWAYS: Final = frozenset({400, 401, 500})


def components() -> dict[str, Schema]:
    """The schemas of all answers, by the names that operations refer to."""
    error = {"message": TEXT, "type": TEXT, "param": {"type": ["string", "null"]}, "code": {"enum": _codes()}}
    return {
        "Transcript": _closed(_TRANSCRIPT, missing=_MISSING, warnings=_WARNINGS),
        "VerboseTranscript": _open(
            {
                "task": {"const": "transcribe"},
                **_TRANSCRIPT,
                "language": {"type": ["string", "null"]},
                "segments": {"type": "array", "items": _SEGMENT},
            },
            missing=_MISSING,
            warnings=_WARNINGS,
        ),
        "DryRun": _closed(
            {
                "object": {"const": "transcription.dry_run"},
                "dry_run": {"const": True},
                "model": TEXT,
                "duration": _SECONDS,
                "chunks": _COUNT,
                "billed_chunks": _COUNT,
                "billed_seconds": _SECONDS,
                "usage": _USAGE,
            },
            cost={"type": "number", "minimum": 0, "description": "In the currency of PRICES; absent without a price."},
            warnings=_WARNINGS,
        ),
        "Queued": _open({"id": TEXT, "status": {"enum": ["queued"]}}),
        "AcceptedJob": _closed(_JOB, webhook_id=TEXT),
        "Job": _closed(
            {
                **_JOB,
                "progress": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
                "completed_at": {"type": ["integer", "null"]},
                "error": {"anyOf": [_closed(error), {"type": "null"}]},
                "warnings": {"type": "array", "items": TEXT},
            },
            webhook_id=TEXT,
        ),
        "DeletedJob": _closed({"id": TEXT, "object": _JOB["object"], "deleted": {"const": True}}),
        "InProgress": _closed({"status": {"const": "in_progress"}}),
        "Upload": _closed(
            {
                "id": TEXT,
                "object": {"const": "upload"},
                "method": {"const": "PUT"},
                "url": {"type": "string", "format": "uri"},
                "headers": {"type": "object", "additionalProperties": TEXT},
                "expires_at": _COUNT,
                "bucket": TEXT,
                "key": TEXT,
            }
        ),
        "Counts": {"type": "object", "minProperties": 1, "additionalProperties": _COUNT},
        "Status": _status(),
        "Models": _closed({"object": {"const": "list"}, "data": {"type": "array", "items": _model()}}),
        "Model": _model(),
        "ChatCompletion": _chat_completion(),
        "Error": _closed({"error": _closed(error)}),
    }


def transcript_response() -> Schema:
    """A transcript in each format, or what it would cost."""
    content = {output.content_type: {"schema": TEXT} for output in FORMATS.values()}
    names = ("VerboseTranscript", "Transcript", "DryRun")
    content[JSON_TYPE] = {"schema": {"anyOf": [reference(name) for name in names]}}
    warnings = {
        "X-Transcript-Warnings": {"description": "The number of warnings, where there are some.", "schema": _COUNT}
    }
    return {"description": "The transcript.", "headers": {**_HEADERS, **warnings}, "content": content}


def json_response(description: str, *names: str) -> Schema:
    """An answer of JSON, of one of these schemas."""
    schema = reference(names[0]) if len(names) == 1 else {"anyOf": [reference(name) for name in names]}
    return {"description": description, "headers": _HEADERS, "content": {JSON_TYPE: {"schema": schema}}}


def error_responses(*statuses: int) -> dict[str, Schema]:
    """The answers to errors of these statuses, and of those that every request may meet, from the tree of errors."""
    codes: defaultdict[int, set[str]] = defaultdict(set)
    for error in _errors():
        codes[error.status].add(error.code)
    return {str(status): _error_response(status, codes[status]) for status in sorted({*statuses, *ALWAYS})}


def all_error_statuses() -> frozenset[int]:
    """The statuses of all errors."""
    return frozenset(error.status for error in _errors())


def reference(name: str) -> Schema:
    """A reference to the schema `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


def _error_response(status: int, codes: set[str]) -> Schema:
    headers = dict(_HEADERS)
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
        headers["Retry-After"] = {"description": "Seconds, where they are known.", "schema": _COUNT}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(sorted(codes))}.",
        "headers": headers,
        "content": {JSON_TYPE: {"schema": reference("Error")}},
    }


def _errors() -> Iterator[type[TranscriberError]]:
    found: list[type[TranscriberError]] = [TranscriberError]
    while found:
        error = found.pop()
        yield error
        found += error.__subclasses__()


def _codes() -> list[str]:
    return sorted({error.code for error in _errors()})


def _closed(properties: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with these properties, and no others than the optional ones."""
    return {**_open(properties, **optional), "additionalProperties": False}


def _open(properties: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": {**properties, **optional}}


def _status() -> Schema:
    limits = ("audio_mb", "audio_minutes", "call_mb", "call_minutes", "time_limit_seconds")
    number = {"type": "number", "exclusiveMinimum": 0}
    return _open(
        {
            "status": {"const": "ok"},
            "version": TEXT,
            "models": {"type": "array", "items": TEXT, "minItems": 1},
            "limits": _open(dict.fromkeys(limits, number)),
        }
    )


def _model() -> Schema:
    return _closed({"id": TEXT, "object": {"const": "model"}, "created": _COUNT, "owned_by": TEXT})


def _chat_completion() -> Schema:
    message = _open({"role": {"const": "assistant"}, "content": TEXT})
    choice = _open({"index": _COUNT, "message": message, "finish_reason": {"const": "stop"}})
    tokens = ("prompt_tokens", "completion_tokens", "total_tokens")
    return _open(
        {
            "id": TEXT,
            "object": {"const": "chat.completion"},
            "created": _COUNT,
            "model": TEXT,
            "choices": {"type": "array", "minItems": 1, "maxItems": 1, "items": choice},
            "usage": {"anyOf": [_open(dict.fromkeys(tokens, _COUNT)), {"type": "null"}]},
            "duration": _SECONDS,
        },
        missing=_MISSING,
        warnings=_WARNINGS,
    )
