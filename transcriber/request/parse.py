"""Parses an HTTP request into a typed one, or says which field is wrong.

The body alone decides what is requested: a trigger's message arrives by the same POST as a client's request. A request
for an object is the same in both: its transcript is stored, once for each version, and returned.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from transcriber.errors import AuthenticationError, MethodNotAllowedError, RequestError
from transcriber.request.body import WAYS_IN, read_encoded_body, read_json, refuse_binary
from transcriber.request.event import HttpRequest
from transcriber.request.fields import refuse_unknown
from transcriber.request.form import read_form
from transcriber.request.job_calls import JobCall, is_job_call, jobs_path, read_job_call
from transcriber.request.job_message import Job, is_signed, may_be_job, read_job
from transcriber.request.job_options import read_async, read_idempotency_key
from transcriber.request.openai_api import (
    ApiPath,
    ChatReply,
    Reply,
    TranscriptEvents,
    api_path,
    read_chat,
    read_chat_form,
    read_transcription,
)
from transcriber.request.s3_events import UploadEvent, read_uploads
from transcriber.request.served_paths import model_of, refuse_reading, refuse_unserved
from transcriber.request.sweep_request import SweepRequest, read_sweep
from transcriber.request.transcription_fields import KNOWN_FIELDS, read_options, read_source
from transcriber.request.transcription_request import (
    DescriptionRequest,
    ModelsRequest,
    PreflightRequest,
    StatusRequest,
    TranscriptionRequest,
)
from transcriber.request.upload_request import UploadRequest, read_upload
from transcriber.response_format import ResponseFormat
from transcriber.settings import Settings

ALLOWED_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST")
# What clients for Azure add to each query.
IGNORED_PARAMETERS: Final = frozenset({"api-version"})
# Those whose words are a text, which a stream of events can have as well.
STREAMED_FORMATS: Final = (ResponseFormat.JSON, ResponseFormat.TEXT, ResponseFormat.VERBOSE_JSON)


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
    http_request = _without_ignored(http_request)
    method = http_request.method
    if is_job_call(http_request):
        _authenticate(http_request, settings)
        return read_job_call(http_request)
    if method in {"GET", "HEAD"}:
        return _read_get(method, http_request.path)
    if method != "POST":
        message = f"{method[:20]} is not a method of this function. POST a recording to transcribe it."
        raise MethodNotAllowedError(message, allowed=ALLOWED_METHODS)
    if not _is_own_message(http_request, settings):
        _authenticate(http_request, settings)
    refuse_unserved(http_request.path)
    return _read_post(http_request)


def _without_ignored(http_request: HttpRequest) -> HttpRequest:
    """The request without what clients of the OpenAI API add to its paths, and mean nothing by here."""
    if api_path(http_request.path) is ApiPath.ROOT and not is_job_call(http_request):
        return http_request
    query = {name: value for name, value in http_request.query.items() if name not in IGNORED_PARAMETERS}
    return replace(http_request, query=query)


def _read_get(method: str, path: str) -> ModelsRequest | DescriptionRequest | StatusRequest:
    refuse_unserved(path)
    refuse_reading(method, path)
    model = model_of(path)
    match api_path(path):
        case ApiPath.MODELS:
            return ModelsRequest()
        case ApiPath.OPENAPI:
            return DescriptionRequest()
        case _:
            return StatusRequest() if model is None else ModelsRequest(model)


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
        form = read_form(body, http_request.headers.get("content-type", ""), KNOWN_FIELDS)
        return _read_encoded(body, http_request) if form is None else _read_form(form, body, http_request)
    _refuse_lost_characters(body)
    if uploads := read_uploads(fields):
        return uploads
    if "sweep" in fields:
        return read_sweep(fields)
    job, request = read_job(fields)
    reply: Reply | None = None
    match path:
        case ApiPath.CHAT:
            request, reply = read_chat(request, request_id=http_request.request_id)
        case ApiPath.TRANSCRIPTIONS:
            request, reply = read_transcription(request)
    return _read_transcription(request, http_request, job, reply)


def _read_form(form: Mapping[str, Any], body: str, http_request: HttpRequest) -> TranscriptionRequest:
    """The request in a form: the same fields on each path, whose answer is in the path's own shape."""
    _refuse_lost_characters(body)
    reply: Reply | None = None
    match api_path(http_request.path):
        case ApiPath.CHAT:
            form, reply = read_chat_form(form, request_id=http_request.request_id)
        case ApiPath.TRANSCRIPTIONS:
            form, reply = read_transcription(form)
    return _read_transcription(form, http_request, None, reply)


def _read_encoded(body: str, http_request: HttpRequest) -> TranscriptionRequest:
    """The request of a body that is base64 text and nothing else."""
    refuse_binary(body)
    if api_path(http_request.path) is ApiPath.CHAT:
        raise RequestError(
            "A chat completion is requested in JSON, with the recording as an input_audio part, or by a form."
        )
    request = TranscriptionRequest(read_encoded_body(body), *read_options({}, http_request.query))
    return _with_headers(request, {}, http_request)


def _read_transcription(
    fields: Mapping[str, Any], http_request: HttpRequest, job: Job | None, reply: Reply | None
) -> TranscriptionRequest:
    refuse_unknown(fields, KNOWN_FIELDS, what="a request")
    source = read_source(fields)
    options, callback = read_options(fields, http_request.query)
    if isinstance(reply, TranscriptEvents) and options.response_format not in STREAMED_FORMATS:
        message = f"A stream has the text alone, and no {options.response_format}; leave one of the two out."
        raise RequestError(message, param="stream")
    options = replace(options, prompt_is_instruction=isinstance(reply, ChatReply) and options.prompt is not None)
    return _with_headers(TranscriptionRequest(source, options, callback, job, reply), fields, http_request)


def _refuse_lost_characters(body: str) -> None:
    if "\ufffd" in body:
        raise RequestError("The body is not UTF-8, so that some of its characters were lost; send it as UTF-8.")


def _with_headers(
    request: TranscriptionRequest, fields: Mapping[str, Any], http_request: HttpRequest
) -> TranscriptionRequest:
    """The request with what is decided beside its options."""
    if request.job is not None:
        return request
    is_async = read_async(fields, http_request.query, http_request.headers)
    return replace(
        request,
        is_async=is_async and not isinstance(request.reply, ChatReply),  # a chat completion has no other form
        jobs_path=jobs_path(http_request.path),
        idempotency_key=read_idempotency_key(http_request.headers),
    )


def read_own_request(job: Job, fields: Mapping[str, Any]) -> TranscriptionRequest:
    """The request that this function has written down; `RequestError` where it is not one."""
    options, callback = read_options(fields, {})
    return TranscriptionRequest(read_source(fields), options, callback, job)
