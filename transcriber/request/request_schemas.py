"""JSON Schemas of what the modules beside this one read, from their own tables and limits.

Only the description of the API imports this, so that it costs no cold start.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from transcriber.request.fields import MAX_BUCKET_LENGTH, MAX_KEY_BYTES
from transcriber.request.job_calls import MAX_WAIT_SECONDS
from transcriber.request.job_message import JOB_ID
from transcriber.request.job_options import ASYNC_FIELD, IDEMPOTENCY_KEY, MAX_IDEMPOTENCY_KEY_LENGTH
from transcriber.request.openai_api import (
    CHAT_FIELDS,
    IGNORED_FIELDS,
    NEUTRAL_FORM_VALUES,
    NEUTRAL_VALUES,
    PART_TYPES,
    ROLES,
)
from transcriber.request.options import (
    MAX_LANGUAGE_LENGTH,
    MAX_MODEL_LENGTH,
    MAX_OUTPUT_TOKENS,
    MAX_PROMPT_LENGTH,
    MAX_TEMPERATURE,
    MAX_TRACK,
    OPTIONS,
)
from transcriber.request.transcription_fields import (
    MAX_CALLBACK_LENGTH,
    NOTIFICATION_FIELDS,
    QUERY_FIELDS,
    SOURCE_FIELDS,
)
from transcriber.request.upload_request import MAX_FILENAME_LENGTH, MEDIA_TYPE, UPLOAD_FIELDS
from transcriber.response_format import ResponseFormat

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
BUCKET: Final[Schema] = {
    "type": "string",
    "maxLength": MAX_BUCKET_LENGTH,
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
}
_KEY: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_KEY_BYTES,
    "pattern": r"\S",
    "description": f"The key of an object, at most {MAX_KEY_BYTES} bytes of UTF-8.",
}
_BASE64: Final[Schema] = {**_TEXT, "description": "The recording as base64 text, or as a data: URL."}
_INPUT_AUDIO: Final[Schema] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": _BASE64,
        "format": {"type": ["string", "null"], "description": "A hint, such as mp3; the bytes decide."},
    },
    "additionalProperties": False,
}
_ADDRESS: Final[Schema] = {"type": "string", "format": "uri", "pattern": r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s]+\s*$"}

# Of each field that names a recording.
SOURCE_SCHEMAS: Final[Mapping[str, Schema]] = {
    "url": {**_TEXT, "format": "uri", "description": "The http or https address of the recording."},
    "input_audio": _INPUT_AUDIO,
    "audio": _BASE64,
    "file": _BASE64,
    "bucket": {**BUCKET, "description": "The bucket in Object Storage; goes with key."},
    "key": _KEY,
}
_GRANULARITIES: Final[Schema] = {
    "oneOf": [
        {"const": "segment"},
        {"type": "array", "prefixItems": [{"const": "segment"}], "minItems": 1, "items": False},
    ],
    "description": "Goes with response_format verbose_json.",
}
# Of each option of `OPTIONS`.
OPTION_SCHEMAS: Final[Mapping[str, Schema]] = {
    "model": {
        "type": "string",
        "pattern": r"^[!-~]([ -~]*[!-~])?$",
        "maxLength": MAX_MODEL_LENGTH,
        "description": "This model and no other; by default, the first of the function's models that exists.",
    },
    "language": {
        "type": "string",
        "maxLength": MAX_LANGUAGE_LENGTH,
        "pattern": r"^\s*[A-Za-z]{2}([-_][A-Za-z0-9]{1,8})*\s*$",
        "description": "ISO 639-1; a region is dropped. By default, it is detected.",
    },
    "prompt": {
        **_TEXT,
        "maxLength": MAX_PROMPT_LENGTH,
        "description": "Vocabulary and style; for a chat model, the instruction.",
    },
    "temperature": {"type": "number", "minimum": 0, "maximum": MAX_TEMPERATURE},
    "top_p": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": MAX_OUTPUT_TOKENS},
    "response_format": {"type": "string", "enum": [*map(str, ResponseFormat)], "default": str(ResponseFormat.JSON)},
    "timestamp_granularities": _GRANULARITIES,
    "timestamp_granularities[]": _GRANULARITIES,
    "dry_run": {
        "type": "boolean",
        "default": False,
        "description": "Nothing is sent to the API: the answer is what the transcript would cost.",
    },
    "allow_partial": {
        "type": "boolean",
        "default": False,
        "description": "A chunk that cannot be transcribed is a gap in the transcript instead of an error.",
    },
    "track": {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_TRACK},
            {"type": "string", "pattern": r"^\s*([0-9]{1,3}|[Aa][Ll][Ll])\s*$"},
        ],
        "description": "The track of the file, from 0; all: one after another, each under its heading.",
    },
}


# Beside the options.
_ASYNC: Final[Schema] = {
    "anyOf": [{"type": "boolean"}, {"type": "null"}, {"type": "string", "pattern": r"^\s*([Tt]rue|[Ff]alse)\s*$"}],
    "description": "Answer 202 with a job at once.",
}


def transcription_request() -> Schema:
    """A request for a transcript: one source, and options."""
    return _object(
        {**SOURCE_SCHEMAS, **_options(), **_callbacks(), ASYNC_FIELD: _ASYNC}, sources=_sources(SOURCE_FIELDS)
    )


def form_request() -> Schema:
    """The same at the path of the OpenAI API, whose clients send some more fields."""
    stream = {"type": ["boolean", "null"], "description": "Answered with OpenAI's events, in one piece."}
    more = {"stream": stream, **{name: _neutral(values) for name, values in NEUTRAL_FORM_VALUES.items()}}
    properties = {**SOURCE_SCHEMAS, **_options(), **_callbacks(), ASYNC_FIELD: _ASYNC, **more}
    return _object(properties, sources=_sources(SOURCE_FIELDS))


def chat_request() -> Schema:
    """A chat completion whose messages hold one recording."""
    options = _options()
    special: dict[str, Schema] = {
        "messages": {"type": "array", "minItems": 1, "items": _message()},
        "model": OPTION_SCHEMAS["model"],
        "max_completion_tokens": options["max_tokens"],
        "stream": {"type": ["boolean", "null"]},
        "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": ["boolean", "null"]}}},
        "response_format": {
            "anyOf": [
                options["response_format"],
                {"type": "object", "required": ["type"], "properties": {"type": {"const": "text"}}},
            ],
        },
        **{name: _neutral(values) for name, values in NEUTRAL_VALUES.items()},
        **{name: {"description": "Has no effect here."} for name in sorted(IGNORED_FIELDS)},
    }
    return {
        "type": "object",
        "required": ["model", "messages"],
        "properties": {name: special.get(name) or options[name] for name in CHAT_FIELDS},
        "additionalProperties": False,
    }


def upload_request() -> Schema:
    """A request for the place of an upload."""
    schemas: dict[str, Schema] = {
        "filename": {**_TEXT, "maxLength": MAX_FILENAME_LENGTH},
        "bytes": {"type": "integer", "minimum": 1, "description": "The exact size of the file."},
        "mime_type": {"type": ["string", "null"], "pattern": f"^({MEDIA_TYPE})?$"},
    }
    properties = {name: schemas.get(name, {"description": "Has no effect here."}) for name in UPLOAD_FIELDS}
    return {
        "type": "object",
        "required": ["filename", "bytes"],
        "properties": properties,
        "additionalProperties": False,
    }


def query_options() -> list[Schema]:
    """The options as parameters of the query string, for a body that is base64 text and nothing else."""
    schemas = {**OPTION_SCHEMAS, ASYNC_FIELD: _ASYNC}
    return [{"name": name, "in": "query", "required": False, "schema": schemas.get(name, {})} for name in QUERY_FIELDS]


def job_headers() -> list[Schema]:
    """The headers of a request for a transcript that decide on its answer."""
    key = {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_LENGTH}
    described = {
        "Prefer": ({"type": "string"}, "respond-async: the same as async."),
        IDEMPOTENCY_KEY: (key, "The same request under the same key has the first one's answer, or its job."),
    }
    return [
        {"name": name, "in": "header", "required": False, "schema": schema, "description": description}
        for name, (schema, description) in described.items()
    ]


def job_parameters(*query: str) -> list[Schema]:
    """The id of a job in its path, and what its query may hold."""
    schemas: dict[str, Schema] = {
        "wait": {"type": "number", "minimum": 0, "description": f"Seconds, of which {MAX_WAIT_SECONDS:g} count."},
        "response_format": OPTION_SCHEMAS["response_format"],
    }
    job_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": JOB_ID.pattern}}
    return [job_id, *({"name": name, "in": "query", "required": False, "schema": schemas[name]} for name in query)]


def _object(properties: Mapping[str, Schema], *, sources: Sequence[Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "oneOf": list(sources), "additionalProperties": False}


def _sources(names: Sequence[str]) -> list[Schema]:
    """Exactly one source; a bucket and a key are one."""
    alone = [name for name in names if name not in {"bucket", "key"}]
    pair = {"required": ["bucket", "key"], "not": {"anyOf": [{"required": [name]} for name in alone]}}
    others = [
        {
            "required": [name],
            "not": {"anyOf": [{"required": [other]} for other in names if other != name]},
        }
        for name in alone
    ]
    return [*others, pair]


def _options() -> dict[str, Schema]:
    """The options; null leaves each at its default."""
    return {name: {"anyOf": [OPTION_SCHEMAS.get(name, {}), {"type": "null"}]} for name in OPTIONS}


def _callbacks() -> dict[str, Schema]:
    address = {**_ADDRESS, "maxLength": MAX_CALLBACK_LENGTH, "description": "Receives the answer by POST, signed."}
    return {name: {"anyOf": [address, {"type": "null"}]} for name in NOTIFICATION_FIELDS}


def _neutral(values: Sequence[object]) -> Schema:
    return {"enum": [*values, None], "description": "Only the value that changes nothing is taken."}


def _message() -> Schema:
    by_type: dict[str, Schema] = {
        "text": {"type": "string", "description": "The prompt; an empty one means nothing."},
        "file": {
            "type": "object",
            "anyOf": [
                {"required": ["file_data"], "properties": {"file_data": _BASE64}},
                {"required": ["file_id"], "properties": {"file_id": {"type": "string", "pattern": "://"}}},
            ],
            "description": "A data: URL; or, in the place of an id, an address.",
        },
        "input_audio": {"anyOf": [_INPUT_AUDIO, _BASE64]},
        "audio_url": {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}},
            ]
        },
    }
    parts = [
        {"type": "object", "required": ["type", kind], "properties": {"type": {"const": kind}, kind: by_type[kind]}}
        for kind in PART_TYPES
    ]
    content = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": parts}}]}
    return {
        "type": "object",
        "required": ["role", "content"],
        "properties": {"role": {"enum": sorted(ROLES)}, "content": content},
    }
