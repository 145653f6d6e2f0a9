"""Parses an HTTP request into a typed one, or says which field is wrong.

The body alone decides what is requested: a trigger's message arrives by the same POST as a client's request. A request
for an object is the same in both: its transcript is stored, once for each version, and returned.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from transcriber.errors import AuthenticationError, MethodNotAllowedError, RequestError
from transcriber.request.base64_text import Base64Text, read_base64
from transcriber.request.body import WAYS_IN, read_encoded_body, read_json, refuse_binary
from transcriber.request.event import HttpRequest
from transcriber.request.fields import MAX_KEY_BYTES, is_key, nearest, read_bucket, read_text, refuse_unknown, short
from transcriber.request.job_calls import JobCall, is_job_call, jobs_path, read_job_call
from transcriber.request.job_message import Job, is_signed, may_be_job, read_job
from transcriber.request.job_options import ASYNC_FIELD, read_async, read_idempotency_key
from transcriber.request.openai_api import ApiPath, api_path, read_chat, read_form
from transcriber.request.options import OPTIONS, TranscriptionOptions, read_option
from transcriber.request.s3_events import ObjectReference, UploadEvent, read_uploads
from transcriber.request.sweep_request import SweepRequest, read_sweep
from transcriber.request.transcription_request import (
    DescriptionRequest,
    ModelsRequest,
    PreflightRequest,
    StatusRequest,
    TranscriptionRequest,
    UrlReference,
)
from transcriber.request.upload_request import UploadRequest, read_upload
from transcriber.response_format import ResponseFormat
from transcriber.settings import Settings

ALLOWED_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST")
# What the query string may hold beside the options: a body that is a recording has no fields.
QUERY_FIELDS: Final = (*OPTIONS, ASYNC_FIELD)
SOURCE_FIELDS: Final = ("url", "input_audio", "audio", "bucket", "key")
NOTIFICATION_FIELDS: Final = ("callback", "webhook_url")
KNOWN_FIELDS: Final = (*SOURCE_FIELDS, *OPTIONS, *NOTIFICATION_FIELDS, ASYNC_FIELD)
MAX_CALLBACK_LENGTH = 4_096


Request: TypeAlias = (
    PreflightRequest
    | StatusRequest
    | ModelsRequest
    | DescriptionRequest
    | JobCall
    | TranscriptionRequest
    | UploadRequest
    | UploadEvent
    | SweepRequest
)


def read_request(http_request: HttpRequest, settings: Settings) -> Request:
    """The typed request; `RequestError` when it is malformed."""
    method = http_request.method
    if is_job_call(http_request):
        _authenticate(http_request, settings)
        return read_job_call(http_request)
    if method in {"GET", "HEAD"}:
        match api_path(http_request.path):
            case ApiPath.MODELS:
                return ModelsRequest()
            case ApiPath.OPENAPI:
                return DescriptionRequest()
            case _:
                return StatusRequest()
    if method != "POST":
        message = f"{method[:20]} is not a method of this function. POST a recording to transcribe it."
        raise MethodNotAllowedError(message, allowed=ALLOWED_METHODS)
    if not _is_own_message(http_request, settings):
        _authenticate(http_request, settings)
    return _read_post(http_request)


def _is_own_message(http_request: HttpRequest, settings: Settings) -> bool:
    """Whether the function has queued the message itself, which its signature shows."""
    body = http_request.body
    if settings.access_token is None or settings.queue is None or not may_be_job(body):
        return False
    try:
        fields = read_json(body)
    except RequestError:
        return False
    return fields is not None and is_signed(fields, settings.queue.secret_key)


def _authenticate(http_request: HttpRequest, settings: Settings) -> None:
    if settings.access_token is None:
        return
    scheme, _, token = http_request.headers.get("authorization", "").partition(" ")
    # Compared as bytes: compare_digest refuses text that is not ASCII.
    matches = hmac.compare_digest(token.strip().encode(errors="replace"), settings.access_token.encode())
    if scheme.lower() != "bearer" or not matches:
        raise AuthenticationError(
            "Send the function's access token in the header Authorization: Bearer <token>. Triggers cannot: for them, "
            "leave ACCESS_TOKEN unset and have the platform check callers (privacy: private)."
        )


def _read_post(http_request: HttpRequest) -> TranscriptionRequest | UploadRequest | UploadEvent | SweepRequest:
    body = http_request.body.strip().removeprefix("\ufeff")  # some editors and shells begin a text with it
    if not body:
        raise RequestError(f"The body is empty. {WAYS_IN}")
    fields = read_json(body)
    path = api_path(http_request.path)
    if path is ApiPath.UPLOADS:
        return read_upload(fields)
    if fields is None:
        refuse_binary(body)
        if path is ApiPath.CHAT:
            raise RequestError("A chat completion is requested in JSON, with the recording as an input_audio part.")
        source: UrlReference | ObjectReference | Base64Text = read_encoded_body(body)
        return _with_headers(TranscriptionRequest(source, *_read_options({}, http_request.query)), {}, http_request)
    if "\ufffd" in body:
        raise RequestError("The body is not UTF-8, so that some of its characters were lost; send it as UTF-8.")
    if uploads := read_uploads(fields):
        return uploads
    if "sweep" in fields:
        return read_sweep(fields)
    job, request = read_job(fields)
    chat = None
    match path:
        case ApiPath.CHAT:
            request, chat = read_chat(request, request_id=http_request.request_id)
        case ApiPath.TRANSCRIPTIONS:
            request = read_form(request)
    refuse_unknown(request, KNOWN_FIELDS, what="a request")
    source = _read_source(request)
    options, callback = _read_options(request, http_request.query)
    options = replace(options, prompt_is_instruction=chat is not None and options.prompt is not None)
    return _with_headers(TranscriptionRequest(source, options, callback, job, chat), request, http_request)


def _with_headers(
    request: TranscriptionRequest, fields: Mapping[str, Any], http_request: HttpRequest
) -> TranscriptionRequest:
    """The request with what is decided beside its options."""
    if request.job is not None:
        return request
    is_async = read_async(fields, http_request.query, http_request.headers)
    return replace(
        request,
        is_async=is_async and request.chat is None,  # a chat completion has no other form
        jobs_path=jobs_path(http_request.path),
        idempotency_key=read_idempotency_key(http_request.headers),
    )


def read_own_request(job: Job, fields: Mapping[str, Any]) -> TranscriptionRequest:
    """The request that this function has written down; `RequestError` where it is not one."""
    options, callback = _read_options(fields, {})
    return TranscriptionRequest(_read_source(fields), options, callback, job)


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


def _read_object(fields: Mapping[str, Any]) -> ObjectReference:
    bucket = read_bucket(fields)
    read_text(fields, "key")
    key: str = fields["key"]  # unchanged: a space at its end is part of it
    if not is_key(key):
        raise RequestError(f"key is at most {MAX_KEY_BYTES} bytes of UTF-8.", param="key")
    return ObjectReference(bucket, key)


def _read_input_audio(value: object) -> Base64Text:
    if not isinstance(value, dict):
        raise RequestError('input_audio is an object: {"data": "<base64>", "format": "mp3"}.', param="input_audio")
    refuse_unknown(value, ("data", "format"), what="input_audio", prefix="input_audio.")
    if not isinstance(value.get("format", ""), str | None):
        raise RequestError("input_audio.format is a text such as mp3.", param="input_audio.format")
    return read_base64(read_text(value, "data", prefix="input_audio."), param="input_audio.data")


def _read_options(fields: Mapping[str, Any], query: Mapping[str, str]) -> tuple[TranscriptionOptions, str | None]:
    """The options and the callback in body and query string."""
    for name in query:
        if name not in QUERY_FIELDS:
            message = f"{short(name)} is not an option for the query string.{nearest(name, QUERY_FIELDS)}"
            raise RequestError(message, param=name)
        if name in fields:
            raise RequestError(f"{name} is in the query string and in the body; leave one out.", param=name)
    fields = {**fields, **query}
    options = TranscriptionOptions()
    for name, (attribute, read) in OPTIONS.items():
        if fields.get(name) is not None:
            options = replace(options, **{attribute: read_option(name, fields[name], read)})
    if options.timestamp_granularities and options.response_format is not ResponseFormat.VERBOSE_JSON:
        message = "timestamp_granularities goes with response_format verbose_json."
        raise RequestError(message, param="timestamp_granularities")
    return options, _read_callback(fields)


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
