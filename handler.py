"""The function: an event comes in, an answer goes out."""

from transcriber.startup.bytecode import use_shipped_bytecode

use_shipped_bytecode()  # first, since it makes the imports below, and theirs, fast at a cold start

import os
from typing import TYPE_CHECKING, Any

from transcriber.audio.identify import identify
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.delivery.answers import (
    Answer,
    error_answer,
    status_answer,
    error_log_fields,
    models_answer,
    preflight_answer,
    transcript_log_fields,
)
from transcriber.dispatch import Dispatcher
from transcriber.request.event import HttpRequest, read_event
from transcriber.services import Services
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import UploadEvent
from transcriber.request_log import RequestReport
from transcriber.request.parse import StatusRequest, ModelsRequest, TranscriptionRequest, read_request
from transcriber.request.sweep_request import SweepRequest
from transcriber.sources.base import Source
from transcriber.transcription.transcript import Transcript, join

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context, Event

_instance = Services(os.environ)


def handle(event: "Event", context: "Context") -> dict[str, Any]:
    """Answer one event; whatever goes wrong becomes an answer too."""
    call = read_event(event)
    report = RequestReport(trigger="http")
    _instance.log.request_id = call.request_id
    _instance.learn(context)
    try:
        answer = _answer(call, report)
    except Exception as error:  # noqa: BLE001 # the platform would show the exception's text to the client, and log nothing
        answer = error_answer(error, to_trigger=report.is_delivered_again)
        report.learn(**error_log_fields(error))
    _instance.log("error" if answer.is_for_operator else "info", "request", status=answer.status, **report.log_fields)
    return answer.to_platform({"X-Request-Id": call.request_id, "Server-Timing": report.server_timing})


def _answer(call: HttpRequest, report: RequestReport) -> Answer:
    # Before the settings are read: with a wrong one, a browser would show nothing of the answer that says so.
    if call.is_preflight:
        return preflight_answer()
    request = read_request(call, _instance.settings)
    deadline = Deadline(_instance.settings.time_limit_seconds)
    match request:
        case StatusRequest():
            return status_answer(_instance.settings)
        case ModelsRequest():
            return models_answer(_instance.settings)
        case TranscriptionRequest():
            return _dispatch.request(request, report, deadline)
        case UploadEvent():
            return _dispatch.uploads(request, report, deadline)
        case SweepRequest():
            return _dispatch.sweep(request, report, deadline)


def _transcribe(source: Source, options: TranscriptionOptions, report: RequestReport, deadline: Deadline) -> Transcript:
    settings = _instance.settings
    warnings: list[str] = []
    with report.watching(source):
        with report.phase("prepare"):
            audio = identify(source, max_seconds=settings.max_audio_seconds)
        order = CutOptions(
            plan=ChunkLimits(settings.chunk_seconds),
            max_seconds=settings.max_audio_seconds,
            deadline=deadline,
            warn=warnings.append,
            hold=options.wants_times,
        )
        with report.phase("api"):
            pieces = _instance.transcriber.transcribe(cut(audio, order), options, deadline=deadline)
        transcript = join(pieces, options=options, warnings=warnings)
        report.learn(**transcript_log_fields(transcript, settings))
    return transcript


_dispatch = Dispatcher(_instance, _transcribe)
