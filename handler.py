"""The function: an event comes in, an answer goes out."""

from transcriber.standard_library import use_shipped_bytecode

use_shipped_bytecode()  # first, since it makes the imports below, and theirs, fast at a cold start

import os
from typing import TYPE_CHECKING, Any

from transcriber.audio import identify
from transcriber.cut_points import CutPlan
from transcriber.cutting import CutOrder, cut
from transcriber.deadline import Deadline
from transcriber.delivery import (
    Answer,
    deliver_error,
    describe,
    error_facts,
    list_models,
    preflight,
    transcript_facts,
)
from transcriber.dispatch import Dispatch
from transcriber.event import Call, read_event
from transcriber.instance import Instance
from transcriber.options import TranscriptionOptions
from transcriber.records import Uploads
from transcriber.report import Report
from transcriber.request import Description, ModelList, TranscriptionRequest, read_request
from transcriber.schedule import SweepRequest
from transcriber.sources.base import Source
from transcriber.transcript import Transcript, join

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context, Event

_instance = Instance(os.environ)


def handle(event: "Event", context: "Context") -> dict[str, Any]:
    """Answer one event; whatever goes wrong becomes an answer too."""
    call = read_event(event)
    report = Report(trigger="http")
    _instance.log.request_id = call.request_id
    _instance.learn(context)
    try:
        answer = _answer(call, report)
    except Exception as error:  # noqa: BLE001 # the platform would show the exception's text to the client, and log nothing
        answer = deliver_error(error, to_trigger=report.is_delivered_again)
        report.learn(**error_facts(error))
    _instance.log("error" if answer.is_for_operator else "info", "request", status=answer.status, **report.log_fields)
    return answer.to_platform({"X-Request-Id": call.request_id, "Server-Timing": report.server_timing})


def _answer(call: Call, report: Report) -> Answer:
    # Before the settings are read: with a wrong one, a browser would show nothing of the answer that says so.
    if call.is_preflight:
        return preflight()
    request = read_request(call, _instance.settings)
    deadline = Deadline(_instance.settings.time_limit_seconds)
    match request:
        case Description():
            return describe(_instance.settings)
        case ModelList():
            return list_models(_instance.settings)
        case TranscriptionRequest():
            return _dispatch.request(request, report, deadline)
        case Uploads():
            return _dispatch.uploads(request, report, deadline)
        case SweepRequest():
            return _dispatch.sweep(request, report, deadline)


def _transcribe(source: Source, options: TranscriptionOptions, report: Report, deadline: Deadline) -> Transcript:
    settings = _instance.settings
    warnings: list[str] = []
    with report.watching(source):
        with report.phase("prepare"):
            audio = identify(source, max_seconds=settings.max_audio_seconds)
        order = CutOrder(
            plan=CutPlan(settings.chunk_seconds),
            max_seconds=settings.max_audio_seconds,
            deadline=deadline,
            warn=warnings.append,
            hold=options.wants_times,
        )
        with report.phase("api"):
            pieces = _instance.transcriber.transcribe(cut(audio, order), options, deadline=deadline)
        transcript = join(pieces, options=options, warnings=warnings)
        report.learn(**transcript_facts(transcript, settings))
    return transcript


_dispatch = Dispatch(_instance, _transcribe)
