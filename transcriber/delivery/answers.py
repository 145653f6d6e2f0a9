"""Turns what came of a request into the answer that the client gets; the one place that knows each error's answer."""

import json
import math
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from transcriber import __version__
from transcriber.chunks.chunk import MAX_CHUNK_BYTES, MAX_CHUNK_SECONDS
from transcriber.delivery.chat_completion import completion, stream
from transcriber.errors import (
    ApiError,
    AuthenticationError,
    MethodNotAllowedError,
    RequestError,
    TranscriberError,
)
from transcriber.request.openai_api import ChatReply
from transcriber.request.options import ResponseFormat
from transcriber.request.parse import ALLOWED_METHODS
from transcriber.settings import BYTES_PER_MB, Settings
from transcriber.spans import Segment, Span
from transcriber.text.subtitles import render_srt, render_vtt
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript

JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
EVENT_STREAM_TYPE: Final = "text/event-stream; charset=utf-8"
SRT_TYPE: Final = "application/x-subrip"
VTT_TYPE: Final = "text/vtt"

# What a page of another origin may read beside the body.
EXPOSED: Final = {"Access-Control-Expose-Headers": "X-Request-Id, Server-Timing, Retry-After"}
# A browser may remember for a day what it was allowed to send.
PREFLIGHT_MAX_AGE_SECONDS = 86_400
# A short recording costs a fraction of a cent.
COST_DECIMALS = 6
# Eight hours in chunks of five minutes; a line of the log stays short.
MAX_SPANS_LOGGED = 100


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_failure(self) -> bool:
        """Whether something failed that is not the client's fault."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_for_operator(self) -> bool:
        """Whether the operator should see it: a failure, or a token that is wrong - which a trigger never has."""
        return self.is_failure or self.status == HTTPStatus.UNAUTHORIZED

    @property
    def encoded(self) -> bytes:
        """The body as UTF-8; JSON can spell half of a surrogate pair, and models do, which UTF-8 cannot."""
        return self.body.encode("utf-8", "replace")

    def to_platform(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The one form of an answer that the platform passes on unchanged, with `headers` added to its own."""
        return {
            "statusCode": self.status,
            "headers": {**EXPOSED, **self.headers, **headers},
            "body": self.encoded.decode(),
        }


def status_answer(settings: Settings) -> Answer:
    """What this function is: no secret in it, and no call of the API for it."""
    description = {
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
    return _json(200, description)


def models_answer(settings: Settings) -> Answer:
    """The models as the OpenAI API lists them; since when there are such, and whose they are, nobody tells."""
    models = [{"id": model, "object": "model", "created": 0, "owned_by": "unknown"} for model in settings.models]
    return _json(200, {"object": "list", "data": models})


def preflight_answer() -> Answer:
    """What a browser may send from any page."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": ", ".join(ALLOWED_METHODS),
        # The star, for headers such as those of the OpenAI SDK, does not hold for Authorization.
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Auth-Token, X-Request-Id, *",
        "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
    }
    return Answer(204, headers=headers)


def transcript_answer(transcript: Transcript, response_format: ResponseFormat, chat: ChatReply | None = None) -> Answer:
    """The transcript in the format that was asked for; with `chat`, that is the content of a chat completion."""
    answer = _in_format(transcript, response_format)
    if chat is None:
        return answer
    content = answer.body.removesuffix("\n")  # a file ends with one, a message does not
    if chat.is_streamed:
        return Answer(200, stream(content, transcript, chat), {"Content-Type": EVENT_STREAM_TYPE})
    return _json(200, completion(content, transcript, chat))


def _in_format(transcript: Transcript, response_format: ResponseFormat) -> Answer:
    match response_format:
        case ResponseFormat.TEXT:
            return Answer(200, transcript.text + "\n", {"Content-Type": TEXT_TYPE})
        case ResponseFormat.SRT:
            return Answer(200, render_srt(transcript.segments), {"Content-Type": SRT_TYPE})
        case ResponseFormat.VTT:
            return Answer(200, render_vtt(transcript.segments), {"Content-Type": VTT_TYPE})
        case ResponseFormat.JSON:
            return _json(200, _fields(transcript))
        case ResponseFormat.VERBOSE_JSON:
            return _json(200, {"task": "transcribe", **_fields(transcript), **_verbose_fields(transcript)})


def _fields(transcript: Transcript) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "text": transcript.text,
        "model": transcript.model,
        "duration": round(transcript.duration_seconds, SECONDS_DECIMALS),
        "usage": {"type": "duration", "seconds": math.ceil(transcript.duration_seconds)},
    }
    if transcript.warnings:
        fields["warnings"] = transcript.warnings
    return fields


def _verbose_fields(transcript: Transcript) -> dict[str, Any]:
    segments = [
        {
            "id": number,
            "start": round(segment.start_seconds, SECONDS_DECIMALS),
            "end": round(segment.end_seconds, SECONDS_DECIMALS),
            "text": segment.text,
        }
        for number, segment in enumerate(transcript.segments)
    ]
    return {"language": transcript.language, "segments": segments}


def stored_answer(stored: Mapping[str, Any], response_format: ResponseFormat) -> Answer:
    """A transcript that was stored earlier, as its `verbose_json` answer, in the format that was asked for."""
    return transcript_answer(
        Transcript(
            text=str(stored["text"]),
            model=str(stored["model"]),
            duration_seconds=float(stored["duration"]),
            warnings=tuple(stored.get("warnings", ())),
            segments=tuple(
                Segment(float(segment["start"]), float(segment["end"]), str(segment["text"]))
                for segment in stored["segments"]
            ),
            language=stored["language"],
        ),
        response_format,
    )


def queued_answer(job_id: str) -> Answer:
    """The request waits in the queue; `job_id` is the later callback's `webhook-id`."""
    return _json(202, {"id": job_id, "status": "queued"})


def in_progress_answer() -> Answer:
    """Another request is at work on the same version of the same recording; its transcript will be stored."""
    return _json(202, {"status": "in_progress"})


def counts_answer(counts: Mapping[str, int]) -> Answer:
    """What became of the objects that a trigger told of."""
    return _json(200, counts)


def error_answer(error: Exception, *, to_trigger: bool = False) -> Answer:
    """The contract's answer to `error`; one that nobody foresaw tells a stranger nothing.

    To a trigger, its status has what may succeed another time delivered again, and nothing else.
    """
    if not isinstance(error, TranscriberError):
        error = TranscriberError("The function failed. Its log says more, under this request's X-Request-Id.")
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ApiError) and error.retry_after_seconds is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    body = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    status = error.status
    if to_trigger and not isinstance(error, RequestError):
        again = status if status >= HTTPStatus.INTERNAL_SERVER_ERROR else int(HTTPStatus.SERVICE_UNAVAILABLE)
        status = again if error.is_retryable else int(HTTPStatus.OK)
    return _json(status, {"error": body}, headers)


def transcript_log_fields(transcript: Transcript, settings: Settings) -> dict[str, object]:
    """What the log says of a transcript: nothing of its words, and what it cost where PRICES tells it of its model."""
    price = settings.prices.get(transcript.model)
    return {
        "model": transcript.model,
        "seconds": round(transcript.duration_seconds, SECONDS_DECIMALS),
        "calls": transcript.usage.calls,
        "tokens": transcript.usage.prompt_tokens + transcript.usage.completion_tokens or None,
        "cost": None if price is None else round(price * transcript.usage.audio_seconds / 60, COST_DECIMALS),
        "chunks": _spans(transcript.chunks),
        "not_sent": _spans(transcript.not_sent),
        "warnings": len(transcript.warnings),
    }


def _spans(spans: Sequence[Span]) -> list[list[float]]:
    return [[round(span.start_seconds, 1), round(span.end_seconds, 1)] for span in spans[:MAX_SPANS_LOGGED]]


def error_log_fields(error: Exception) -> dict[str, object]:
    """What the log says of `error`: of an unforeseen one only where it happened, since its text may hold anything."""
    if isinstance(error, TranscriberError):
        return {"code": error.code, "error": error.message}
    frames = traceback.extract_tb(error.__traceback__)
    # The innermost place, and the innermost one of ours, which says what was being done there.
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent.parent)]
    where = " in ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in (*frames[-1:], *ours[-1:]))
    return {"code": TranscriberError.code, "error": type(error).__name__, "where": where}


def _json(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False), {"Content-Type": JSON_TYPE, **(headers or {})})
