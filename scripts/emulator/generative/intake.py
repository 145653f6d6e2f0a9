"""The steps of every request before its route: it is recorded, authorised, read, and made to fail."""

import hmac
import json
from dataclasses import dataclass
from typing import Any, cast

from flask import Response, g, request

from emulator.generative.errors import ApiError
from emulator.generative.fault_effects import cut_short, linger, strike
from emulator.generative.faults import Fault, FaultKind, FaultOrders
from emulator.generative.models import Models
from emulator.generative.received import ReceivedRequest, RequestLog
from emulator.recognisers.base import Recogniser

CHAT_PATH = "/v1/chat/completions"
TRANSCRIPTIONS_PATH = "/v1/audio/transcriptions"
TEXT_PATHS = frozenset({CHAT_PATH, TRANSCRIPTIONS_PATH})
PREFIX = "/v1/"

BEARER = "bearer "


@dataclass(frozen=True)
class Apis:
    """The state of the emulated APIs: recogniser, models, faults, received requests, key."""

    recogniser: Recogniser
    models: Models
    faults: FaultOrders
    received: RequestLog
    key: str


@dataclass
class Intake:
    """The current request: its entry in the log, its fault, its JSON, and whether its body was read."""

    received: ReceivedRequest
    fault: Fault | None = None
    json: Any = None
    body_was_read: bool = False


def intake() -> Intake:
    """The intake of this thread's request."""
    return cast("Intake", g.intake)


def receive(apis: Apis) -> Response | None:
    """Take a request in; an answer means that it met a fault. Raises `ApiError` without a valid key (401, 403)."""
    if not request.path.startswith(PREFIX):
        return None
    encoding = request.headers.get("Transfer-Encoding")
    received = ReceivedRequest(request.method, request.path, request.mimetype or None, transfer_encoding=encoding)
    apis.received.add(received)
    g.intake = present = Intake(received)
    if fault := apis.faults.take(request.path, early=True):
        return _meet(present, fault)
    _require_key(apis.key)
    _read_body(present)
    wants_text = request.method == "POST" and request.path in TEXT_PATHS
    if fault := apis.faults.take(request.path, received.model, wants_text=wants_text):
        return _meet(present, fault)
    return None


def finish(response: Response) -> Response:
    """Record the answer to a request, and cut it short if that is its fault."""
    present = cast("Intake | None", g.get("intake"))
    if present is None:
        return response
    if present.fault is None or present.fault.fault is not FaultKind.RESET:
        present.received.status = response.status_code
    if present.fault is not None and present.fault.fault is FaultKind.CUT:
        return cut_short(response)
    if not present.body_was_read and (request.content_length or "Transfer-Encoding" in request.headers):
        return linger(response, request.environ)
    return response


def _meet(present: Intake, fault: Fault) -> Response | None:
    present.fault = fault
    present.received.fault = fault.fault.value
    streamed = isinstance(present.json, dict) and present.json.get("stream") is True
    streamed = streamed or (present.body_was_read and request.form.get("stream") == "true")
    return strike(fault, path=request.path, streamed=streamed, connection=request.environ.get("gunicorn.socket"))


def _require_key(key: str) -> None:
    given = request.headers.get("Authorization", "")
    if not given.lower().startswith(BEARER):
        raise ApiError(401, "No API key: send it as Authorization: Bearer <key>", code="missing_api_key")
    if not hmac.compare_digest(given[len(BEARER) :].strip().encode(), key.encode()):
        raise ApiError(403, "The API key is not valid, or lacks the permission", code="invalid_api_key")


def _read_body(present: Intake) -> None:
    body = request.get_data(cache=True)
    present.body_was_read = True
    present.received.body_size_bytes = len(body)
    if request.path == TRANSCRIPTIONS_PATH:
        present.received.describe_transcription(request.form, request.files.get("file"))
    elif body:
        try:
            present.json = json.loads(body)
        except ValueError:  # not JSON, or not Unicode: the route reports it, if the request gets that far
            return
        present.received.describe_chat(present.json)
