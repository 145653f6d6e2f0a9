"""Reads a call into what it asks for, or says which field is wrong.

What a call is, its body tells, and nothing else: a trigger's message comes by the same POST as a client's request. So a
request for an object is the same in both: the transcript is stored, once for each version, and returned.
"""

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from transcriber.errors import AuthenticationError, MethodNotAllowedError, RequestError
from transcriber.request.base64_text import Base64Text, read_base64
from transcriber.request.event import HttpRequest
from transcriber.request.fields import MAX_KEY_BYTES, is_key, nearest, read_bucket, read_text, refuse_unknown, short
from transcriber.request.openai_api import ApiPath, ChatReply, api_path, read_chat, read_form
from transcriber.request.options import OPTIONS, ResponseFormat, TranscriptionOptions, read_option
from transcriber.request.s3_events import ObjectReference, UploadEvent, read_uploads
from transcriber.request.sweep_request import SweepRequest, read_sweep
from transcriber.settings import Settings

ALLOWED_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST")
SOURCE_FIELDS: Final = ("url", "input_audio", "audio", "bucket", "key")
NOTIFICATION_FIELDS: Final = ("callback", "webhook_url")
KNOWN_FIELDS: Final = (*SOURCE_FIELDS, *OPTIONS, *NOTIFICATION_FIELDS)

WAYS_IN: Final = (
    'Send JSON with "url" (an http or https address), with "audio" (the recording as base64 text), '
    'or with "bucket" and "key" (an object in Object Storage), '
    "or a body that is base64 text and nothing else."
)

# Shorter than any recording: a WAV header alone has 44 bytes. Words such as "ping" or "true" are valid base64.
MIN_ENCODED_LENGTH = 64
# Far more parts than a request has, even with commas and brackets in its prompt; a body full of them would parse to
# thirty times its size.
MAX_JSON_PARTS = 10_000
# An id comes back as a header of the callback.
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
MAX_CALLBACK_LENGTH = 4_096
# How much of a body is looked at to tell what kind of binary it is.
BINARY_LOOK = 2_000


@dataclass(frozen=True)
class StatusRequest:
    """Somebody asks what this function is."""


@dataclass(frozen=True)
class ModelsRequest:
    """Somebody asks which models there are, as a client of the OpenAI API does."""


@dataclass(frozen=True)
class UrlReference:
    """The audio is at an address."""

    url: str


@dataclass(frozen=True)
class Job:
    """A request that this function has queued: under which id, and which attempt at it this is, from 1."""

    id: str
    attempt: int = 1


@dataclass(frozen=True)
class TranscriptionRequest:
    """A recording to transcribe, and how; with `chat`, the answer is a chat completion."""

    source: UrlReference | ObjectReference | Base64Text
    options: TranscriptionOptions
    callback: str | None = None
    job: Job | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    chat: ChatReply | None = None


def read_request(
    call: HttpRequest, settings: Settings
) -> StatusRequest | ModelsRequest | TranscriptionRequest | UploadEvent | SweepRequest:
    """What `call` asks for; `RequestError` when it asks for nothing that can be done."""
    if call.method in {"GET", "HEAD"}:
        return ModelsRequest() if api_path(call.path) is ApiPath.MODELS else StatusRequest()
    if call.method != "POST":
        message = f"{call.method[:20]} is not a method of this function. POST a recording to transcribe it."
        raise MethodNotAllowedError(message, allowed=ALLOWED_METHODS)
    _authenticate(call, settings)
    return _read_post(call, settings)


def _authenticate(call: HttpRequest, settings: Settings) -> None:
    if settings.access_token is None:
        return
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    # Compared as bytes: compare_digest refuses text that is not ASCII.
    matches = hmac.compare_digest(token.strip().encode(), settings.access_token.encode())
    if scheme.lower() != "bearer" or not matches:
        raise AuthenticationError(
            "Send the function's access token in the header Authorization: Bearer <token>. Triggers cannot: for them, "
            "leave ACCESS_TOKEN unset and have the platform check callers (privacy: private)."
        )


def _read_post(call: HttpRequest, settings: Settings) -> TranscriptionRequest | UploadEvent | SweepRequest:
    body = call.body.strip().removeprefix("\ufeff")  # with which some editors and shells begin a text
    if not body:
        raise RequestError(f"The body is empty. {WAYS_IN}")
    fields = _read_json(body)
    path = api_path(call.path)
    chat = None
    if fields is None:
        _refuse_binary(body)
        if path is ApiPath.CHAT:
            raise RequestError("A chat completion is asked for in JSON, with the recording as an input_audio part.")
        return _read_transcription({}, call.query, _read_encoded_body(body), job=None)
    if "\ufffd" in body:
        raise RequestError("The body is not UTF-8, so that some of its characters were lost; send it as UTF-8.")
    if uploads := read_uploads(fields):
        return uploads
    if "sweep" in fields:
        return read_sweep(fields)
    job, request = _read_job(fields)
    match path:
        case ApiPath.CHAT:
            request, chat = read_chat(request, request_id=call.request_id, api_kind=settings.api_kind)
        case ApiPath.TRANSCRIPTIONS:
            request = read_form(request)
    refuse_unknown(request, KNOWN_FIELDS, what="a request")
    return _read_transcription(request, call.query, _read_source(request), job=job, chat=chat)


def _read_transcription(
    fields: Mapping[str, Any],
    query: Mapping[str, str],
    source: UrlReference | ObjectReference | Base64Text,
    *,
    job: Job | None,
    chat: ChatReply | None = None,
) -> TranscriptionRequest:
    for name in query:
        if name not in OPTIONS:
            raise RequestError(f"{short(name)} is no option for the query string.{nearest(name, OPTIONS)}", param=name)
        if name in fields:
            raise RequestError(f"{name} stands in the query string and in the body; leave one out.", param=name)
    fields = {**fields, **query}
    return TranscriptionRequest(
        source=source,
        options=_read_options(fields),
        callback=_read_callback(fields),
        job=job,
        fields=fields,
        chat=chat,
    )


def _read_job(fields: Mapping[str, Any]) -> tuple[Job | None, Mapping[str, Any]]:
    """The job and the request of a message that this function has queued; a request of somebody else is no job."""
    if "job" not in fields:
        return None, fields
    job = fields["job"] if isinstance(fields["job"], dict) else {}
    job_id, attempt, request = job.get("id"), job.get("attempt", 1), job.get("request")
    is_numbered = type(attempt) is int and attempt > 0
    if not (isinstance(job_id, str) and _JOB_ID.fullmatch(job_id) and is_numbered) or (
        not isinstance(request, dict) or len(fields) > 1
    ):
        message = 'job is {"id", "attempt"?, "request"}, as this function queues it, and stands alone.'
        raise RequestError(message, param="job")
    return Job(job_id, attempt), request


def _read_object(fields: Mapping[str, Any]) -> ObjectReference:
    bucket = read_bucket(fields)
    read_text(fields, "key")
    key: str = fields["key"]  # as it is: a space at its end is part of it
    if not is_key(key):
        raise RequestError(f"key is at most {MAX_KEY_BYTES} bytes of UTF-8.", param="key")
    return ObjectReference(bucket, key)


def _read_callback(fields: Mapping[str, Any]) -> str | None:
    given = [name for name in NOTIFICATION_FIELDS if fields.get(name) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise RequestError("callback and webhook_url are the same; leave one out.", param=given[1])
    url = read_text(fields, given[0])
    if not re.fullmatch(r"(?i)https?://[^\s]+", url) or len(url) > MAX_CALLBACK_LENGTH:
        raise RequestError(f"{given[0]} is an http or https address.", param=given[0])
    return url


def _read_json(body: str) -> dict[str, Any] | None:
    """The object that `body` is; None where it is no JSON at all."""
    if body.startswith(("{", "[")) and sum(map(body.count, "{[,")) > MAX_JSON_PARTS:
        raise RequestError(f"The body has more than {MAX_JSON_PARTS} parts, which no request has. {WAYS_IN}")
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if body.startswith("{"):
            message = f"The body is no valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
            raise RequestError(message) from None
        return None
    except RecursionError:
        raise RequestError("The body is JSON nested too deeply.") from None
    except ValueError:  # a number with more digits than Python reads
        raise RequestError("The body holds a number that is too long.") from None
    if not isinstance(value, dict):
        raise RequestError(f"The body is JSON, but no object. {WAYS_IN}")
    return value


def _refuse_constant(name: str) -> float:
    raise RequestError(f"The body holds {name}, which is no JSON.")


def _read_encoded_body(body: str) -> Base64Text:
    if len(body) < MIN_ENCODED_LENGTH and not body.startswith("data:"):
        raise RequestError(f"The body is neither a JSON object nor a recording as base64 text. {WAYS_IN}")
    return read_base64(body, param=None)


def _refuse_binary(body: str) -> None:
    """Recognise bytes that the platform has destroyed on their way: each one that is no UTF-8 became U+FFFD."""
    if body.startswith("--") and "content-disposition" in body[:BINARY_LOOK].lower():
        found = (
            "The body is a multipart form (an OpenAI SDK's audio.transcriptions sends one; its chat.completions works)"
        )
    elif "\ufffd" in body or re.search(r"[\x00-\x08\x0e-\x1f]", body[:BINARY_LOOK]):
        found = "The body is binary"
    else:
        return
    raise RequestError(
        f"{found}, and the platform destroys binary bodies before this function sees them. Send the recording as "
        "base64 text instead (base64 talk.mp3 | curl --data-binary @- …, or JSON with "
        '"audio": "<base64>"), or its address ("url"); for one in Object Storage, its "bucket" and "key".'
    )


def _read_source(fields: Mapping[str, Any]) -> UrlReference | ObjectReference | Base64Text:
    given = [name for name in SOURCE_FIELDS if fields.get(name) is not None]
    if not given:
        raise RequestError(f"The request names no recording. {WAYS_IN}", param="url")
    if {*given} == {"bucket", "key"}:
        return _read_object(fields)
    if given in (["bucket"], ["key"]):
        missing = "key" if given == ["bucket"] else "bucket"
        raise RequestError("An object in Object Storage has a bucket and a key; send both.", param=missing)
    if len(given) > 1:
        raise RequestError(f"The request names {len(given)} sources ({', '.join(given)}); send one.", param=given[1])
    (name,) = given
    match name:
        case "url":
            return UrlReference(read_text(fields, name))
        case "audio":
            return read_base64(read_text(fields, name), param=name)
        case _:
            return _read_input_audio(fields[name])


def _read_input_audio(value: object) -> Base64Text:
    if not isinstance(value, dict):
        raise RequestError('input_audio is an object: {"data": "<base64>", "format": "mp3"}.', param="input_audio")
    refuse_unknown(value, ("data", "format"), what="input_audio", prefix="input_audio.")
    if not isinstance(value.get("format", ""), str | None):
        raise RequestError("input_audio.format is a text such as mp3.", param="input_audio.format")
    return read_base64(read_text(value, "data", prefix="input_audio."), param="input_audio.data")


def _read_options(fields: Mapping[str, Any]) -> TranscriptionOptions:
    options = TranscriptionOptions()
    for name, (attribute, read) in OPTIONS.items():
        if fields.get(name) is not None:
            options = replace(options, **{attribute: read_option(name, fields[name], read)})
    if options.timestamp_granularities and options.response_format is not ResponseFormat.VERBOSE_JSON:
        message = "timestamp_granularities goes with response_format verbose_json."
        raise RequestError(message, param="timestamp_granularities")
    return options
