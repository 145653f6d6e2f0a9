"""The function: an event comes in, an answer goes out."""

from transcriber.standard_library import use_shipped_bytecode

use_shipped_bytecode()  # first, since it makes the imports below, and theirs, fast at a cold start

import os
from typing import TYPE_CHECKING, Any

from transcriber.audio import identify
from transcriber.cut_points import CutPlan
from transcriber.cutting import CutOrder, cut
from transcriber.deadline import Deadline
from transcriber.delivery import Answer, deliver, deliver_error, describe, error_facts, preflight, transcript_facts
from transcriber.event import Call, read_event
from transcriber.instance import Instance
from transcriber.report import Report
from transcriber.request import Description, TranscriptionRequest, read_request
from transcriber.sources import open_source
from transcriber.transcript import join

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context, Event

_instance = Instance(os.environ)


def handle(event: "Event", context: "Context") -> dict[str, Any]:  # noqa: ARG001 # the platform passes both
    """Answer one event; whatever goes wrong becomes an answer too."""
    call = read_event(event)
    report = Report(trigger="http")
    _instance.log.request_id = call.request_id
    try:
        answer = _answer(call, report)
    except Exception as error:  # noqa: BLE001 # the platform would show the exception's text to the client, and log nothing
        answer = deliver_error(error)
        report.learn(**error_facts(error))
    _instance.log("error" if answer.is_failure else "info", "request", status=answer.status, **report.log_fields)
    return answer.to_platform({"X-Request-Id": call.request_id, "Server-Timing": report.server_timing})


def _answer(call: Call, report: Report) -> Answer:
    # Before the settings are read: with a wrong one, a browser would show nothing of the answer that says so.
    if call.is_preflight:
        return preflight()
    match read_request(call, _instance.settings):
        case Description():
            return describe(_instance.settings)
        case TranscriptionRequest() as request:
            return _transcribe(request, report)


def _transcribe(request: TranscriptionRequest, report: Report) -> Answer:
    settings = _instance.settings
    deadline = Deadline(settings.time_limit_seconds)
    with (
        open_source(
            request.source, downloads=lambda: _instance.downloads, settings=settings, deadline=deadline
        ) as source,
        report.watching(source),
    ):
        warnings: list[str] = []
        with report.phase("prepare"):
            audio = identify(source, max_seconds=settings.max_audio_seconds)
        order = CutOrder(
            plan=CutPlan(settings.chunk_seconds),
            max_seconds=settings.max_audio_seconds,
            deadline=deadline,
            warn=warnings.append,
            hold=request.options.wants_times,
        )
        with report.phase("api"):
            pieces = _instance.transcriber.transcribe(cut(audio, order), request.options, deadline=deadline)
        transcript = join(pieces, options=request.options, warnings=warnings)
        report.learn(**transcript_facts(transcript))
    return deliver(transcript, request.options.response_format)
