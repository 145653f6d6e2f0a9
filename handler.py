"""The function: an event in, an answer out."""

from transcriber.startup.bytecode import use_shipped_bytecode

use_shipped_bytecode()  # first, since it makes all other imports fast at a cold start

import os
from typing import TYPE_CHECKING, Any

from transcriber.deadline import Deadline
from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import information_answer, preflight_answer
from transcriber.delivery.error_answers import error_answer
from transcriber.dispatch.dispatcher import Dispatcher
from transcriber.request.event import HttpRequest, read_event
from transcriber.request.parse import Request, read_request
from transcriber.request.job_calls import JobCall
from transcriber.request.s3_events import UploadEvent
from transcriber.request.sweep_request import SweepRequest
from transcriber.request.transcription_request import (
    DescriptionRequest,
    ModelsRequest,
    PreflightRequest,
    StatusRequest,
    TranscriptionRequest,
)
from transcriber.request.trigger import Trigger
from transcriber.request.upload_request import UploadRequest
from transcriber.request_log import RequestReport, error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.services import Services

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context, Event

_services = Services(os.environ)
_dispatcher = Dispatcher(_services)


def handle(event: "Event", context: "Context") -> dict[str, Any]:
    """Answer one event; an error becomes an answer, too."""
    http_request = read_event(event)
    _services.set_memory(context)
    trigger = Trigger.HTTP
    report = RequestReport(trigger=trigger, cold_start=_services.take_cold_start() or None)
    try:
        request = _read(http_request)
        trigger = request.trigger
        report.add(trigger=trigger)
        answer = _answer(request, http_request, report)
    except Exception as error:  # noqa: BLE001 # the platform would show the exception's text to the client, and log nothing
        answer = error_answer(error, trigger)
        report.add(**error_log_fields(error))
    log = _services.log(http_request)
    log("error" if answer.is_for_operator else "info", "request", status=answer.status, **report.log_fields)
    return answer.to_platform({"X-Request-Id": http_request.request_id, "Server-Timing": report.server_timing})


def _read(http_request: HttpRequest) -> Request:
    # Before the settings are read: if they are wrong, a browser would hide the answer that says so.
    if http_request.is_preflight:
        return PreflightRequest()
    return read_request(http_request, _services.settings)


def _answer(request: Request, http_request: HttpRequest, report: RequestReport) -> Answer:
    match request:
        case PreflightRequest():
            return preflight_answer()
        case StatusRequest() | ModelsRequest() | DescriptionRequest():
            return information_answer(request, _services.settings)
    scope = RequestScope(
        Deadline(_services.settings.time_limit_seconds),
        _services.log(http_request),
        report,
        is_interactive=request.trigger is Trigger.HTTP,
        traceparent=http_request.traceparent,
    )
    return _carry_out(request, scope)


def _carry_out(
    request: TranscriptionRequest | JobCall | UploadRequest | UploadEvent | SweepRequest, scope: RequestScope
) -> Answer:
    match request:
        case TranscriptionRequest():
            return _dispatcher.transcription(request, scope)
        case UploadRequest():
            return _dispatcher.upload(request, scope)
        case UploadEvent():
            return _dispatcher.uploads(request, scope)
        case SweepRequest():
            return _dispatcher.sweep(request, scope)
        case _:
            return _dispatcher.job_call(request, scope)
