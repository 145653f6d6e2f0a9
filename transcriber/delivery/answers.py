"""The answers to requests that succeed; `transcriber.delivery.error_answers` has the others."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from transcriber import __version__
from transcriber.chunks.chunk import MAX_CHUNK_BYTES, MAX_CHUNK_SECONDS
from transcriber.delivery.answer import Answer, json_answer
from transcriber.delivery.chat_completion import completion, stream
from transcriber.delivery.transcription_events import transcription_events
from transcriber.errors import ModelNotServedError
from transcriber.outputs.formats import FORMATS
from transcriber.request.openai_api import ChatReply, Reply, TranscriptEvents
from transcriber.request.parse import ALLOWED_METHODS
from transcriber.request.transcription_request import DescriptionRequest, ModelsRequest, StatusRequest
from transcriber.response_format import ResponseFormat
from transcriber.settings import BYTES_PER_MB, Settings
from transcriber.transcription.estimate import Estimate
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript

# The number of warnings of the transcript.
WARNINGS_HEADER: Final = "X-Transcript-Warnings"
EVENT_STREAM_TYPE: Final = "text/event-stream; charset=utf-8"
# A browser may remember for a day which requests are allowed.
PREFLIGHT_MAX_AGE_SECONDS = 86_400


def status_answer(settings: Settings) -> Answer:
    """The function's version, models and limits: no secret, and no call of the API."""
    status = {
        "status": "ok",
        "version": __version__,
        "models": settings.models,
        "limits": {
            "audio_mb": settings.max_audio_bytes / BYTES_PER_MB,
            "audio_minutes": settings.max_audio_seconds / 60,
            "call_mb": MAX_CHUNK_BYTES / BYTES_PER_MB,
            "call_minutes": MAX_CHUNK_SECONDS / 60,
            "time_limit_seconds": settings.time_limit_seconds,
        },
    }
    return json_answer(200, status)


def models_answer(settings: Settings, model: str | None = None) -> Answer:
    """The models as the OpenAI API lists them, or one of them; their dates and owners are not known."""
    if model is not None and model not in settings.models:
        known = ", ".join(settings.models)
        raise ModelNotServedError(f"{model[:100]} is none of the models here, which are {known}.", param="model")
    models = [{"id": model, "object": "model", "created": 0, "owned_by": "unknown"} for model in settings.models]
    found = next((each for each in models if each["id"] == model), None)
    return json_answer(200, found or {"object": "list", "data": models})


def description_answer(settings: Settings) -> Answer:
    """The description of the function, as OpenAPI."""
    from transcriber.delivery.openapi import document  # noqa: PLC0415 # no other request needs it at its cold start

    return json_answer(200, document(settings))


def information_answer(request: StatusRequest | ModelsRequest | DescriptionRequest, settings: Settings) -> Answer:
    """What the function says about itself."""
    match request:
        case StatusRequest():
            return status_answer(settings)
        case ModelsRequest(model):
            return models_answer(settings, model)
        case DescriptionRequest():
            return description_answer(settings)


def preflight_answer() -> Answer:
    """What a browser may send from any page."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": ", ".join((*ALLOWED_METHODS, "DELETE")),
        # The star, for headers such as those of the OpenAI SDK, does not include Authorization.
        "Access-Control-Allow-Headers": (
            "Authorization, Content-Type, Idempotency-Key, Prefer, X-Auth-Token, X-Request-Id, *"
        ),
        "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
    }
    return Answer(204, headers=headers)


def transcript_answer(transcript: Transcript, response_format: ResponseFormat, reply: Reply | None = None) -> Answer:
    """The transcript in the requested format; with `reply`, as a chat completion or a stream of events."""
    # In each format: text and subtitles have no field for them, and their reader has to know.
    warnings = {WARNINGS_HEADER: str(len(transcript.warnings))} if transcript.warnings else {}
    if isinstance(reply, TranscriptEvents):
        return Answer(200, transcription_events(transcript), {"Content-Type": EVENT_STREAM_TYPE, **warnings})
    output = FORMATS[response_format]
    body = output.render(transcript)
    if reply is None:
        return Answer(200, body, {"Content-Type": output.content_type, **warnings})
    # A file ends with a line end, a message does not.
    return _completion_answer(body.removesuffix("\n"), transcript, reply, warnings)


def estimate_answer(estimate: Estimate, reply: Reply | None = None) -> Answer:
    """What a recording would cost, as JSON in any response format; with `reply`, as a chat completion's content."""
    found: dict[str, Any] = {
        "object": "transcription.dry_run",
        "dry_run": True,
        "model": estimate.model,
        "duration": round(estimate.duration_seconds, SECONDS_DECIMALS),
        "chunks": estimate.chunks,
        "billed_chunks": estimate.billed_chunks,
        "billed_seconds": round(estimate.billed_seconds, SECONDS_DECIMALS),
        "usage": {"type": "duration", "seconds": math.ceil(round(estimate.billed_seconds, SECONDS_DECIMALS))},
    }
    if estimate.cost is not None:
        found["cost"] = estimate.cost
    if estimate.warnings:
        found["warnings"] = estimate.warnings
    if not isinstance(reply, ChatReply):
        return json_answer(200, found)
    # A client of chat completions finds the object where it would find the words.
    nothing_sent = Transcript("", estimate.model, estimate.duration_seconds, estimate.warnings)
    return _completion_answer(json.dumps(found, ensure_ascii=False), nothing_sent, reply, {})


def _completion_answer(content: str, transcript: Transcript, reply: ChatReply, headers: Mapping[str, str]) -> Answer:
    if reply.is_streamed:
        return Answer(200, stream(content, transcript, reply), {"Content-Type": EVENT_STREAM_TYPE, **headers})
    return json_answer(200, completion(content, transcript, reply), headers)


def queued_answer(job_id: str) -> Answer:
    """The request waits in the queue; `job_id` will be the callback's `webhook-id`."""
    return json_answer(202, {"id": job_id, "status": "queued"})


def in_progress_answer() -> Answer:
    """Another request works on the same version of the same recording, and will store its transcript."""
    return json_answer(202, {"status": "in_progress"})


def upload_answer(
    *, upload_id: str, url: str, headers: Mapping[str, str], expires_at: int, bucket: str, key: str
) -> Answer:
    """Where a client may PUT its file, with which headers, and how a request names the file afterwards."""
    upload = {
        "id": upload_id,
        "object": "upload",
        "method": "PUT",
        "url": url,
        "headers": dict(headers),
        "expires_at": expires_at,
        "bucket": bucket,
        "key": key,
    }
    return json_answer(201, upload, {"Cache-Control": "no-store"})


def counts_answer(counts: Mapping[str, int]) -> Answer:
    """How many objects of a trigger's event have which status."""
    return json_answer(200, counts)
