"""The steps of every request before its route: it is recorded, authorised and read, and a fault may hit it."""

import hmac
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from flask import Response, g, request

from emulator.generative.errors import ApiError
from emulator.generative.fault_effects import ERRORS, cut_short, fault_response, linger
from emulator.generative.faults import Fault, FaultKind, InjectedFaults
from emulator.generative.models import Models
from emulator.generative.quota import Admission, Quota, QuotaExceededError
from emulator.generative.received import ReceivedRequest, RequestLog
from emulator.recognisers.base import Recogniser

CHAT_PATH = "/v1/chat/completions"
TRANSCRIPTIONS_PATH = "/v1/audio/transcriptions"
TEXT_PATHS = frozenset({CHAT_PATH, TRANSCRIPTIONS_PATH})
PREFIX = "/v1/"

BEARER = "bearer "


@dataclass(frozen=True)
class Apis:
    """The emulated APIs' state: recogniser, models, faults, quota, received requests, key."""

    recogniser: Recogniser
    models: Models
    faults: InjectedFaults
    quota: Quota
    received: RequestLog
    key: str


@dataclass
class Intake:
    """The current request: its record, its fault, its JSON, whether its body was read, and its share of the quota."""

    received: ReceivedRequest
    fault: Fault | None = None
    json: Any = None
    body_was_read: bool = False
    admission: Admission | None = None
    output_tokens: int = 0


def intake() -> Intake:
    """The intake of the current request."""
    return cast("Intake", g.intake)


def receive(apis: Apis) -> Response | None:
    """Record, authorise and read the request; returns an answer only if a fault gives one.

    Raises `ApiError` for a missing or wrong key (401, 403).
    """
    if not request.path.startswith(PREFIX):
        return None
    encoding = request.headers.get("Transfer-Encoding")
    received = ReceivedRequest(request.method, request.path, request.mimetype or None, transfer_encoding=encoding)
    apis.received.add(received)
    g.intake = current = Intake(received)
    if fault := apis.faults.take(request.path, early=True):
        return _apply_fault(current, fault)
    _require_key(apis.key)
    _read_body(current)
    wants_text = request.method == "POST" and request.path in TEXT_PATHS
    if fault := apis.faults.take(request.path, received.model, wants_text=wants_text):
        return _apply_fault(current, fault)
    return None


def admit(apis: Apis, model: str, *, audio_seconds: float, tokens: int) -> None:
    """Charge the current call to the quota, before its audio is recognised; raises `ApiError` (429)."""
    current = intake()
    try:
        current.admission = apis.quota.admit(
            model, audio_seconds=audio_seconds, tokens=tokens, size_bytes=current.received.body_size_bytes or 0
        )
    except QuotaExceededError as error:
        refused = ERRORS[FaultKind.RATE_LIMITED]
        raise ApiError(refused.status, refused.message, code=refused.code, headers=error.headers) from error


def release(apis: Apis) -> None:
    """End the current call for the quota; a call with a 200 is paid, even if no client reads the answer any more."""
    current = cast("Intake | None", g.get("intake"))
    if current is not None and current.admission is not None:
        paid = current.received.status == HTTPStatus.OK
        apis.quota.finish(current.admission, paid=paid, output_tokens=current.output_tokens)


def finish(response: Response) -> Response:
    """Record the answer's status, and apply faults that act on an answer."""
    current = cast("Intake | None", g.get("intake"))
    if current is None:
        return response
    if current.fault is None or current.fault.fault is not FaultKind.RESET:
        current.received.status, current.received.answered_at = response.status_code, time.time()
    if current.fault is not None and current.fault.fault is FaultKind.CUT:
        return cut_short(response)
    if not current.body_was_read and (request.content_length or "Transfer-Encoding" in request.headers):
        return linger(response, request.environ)
    return response


def _apply_fault(current: Intake, fault: Fault) -> Response | None:
    current.fault = fault
    current.received.fault = fault.fault.value
    streamed = isinstance(current.json, dict) and current.json.get("stream") is True
    streamed = streamed or (current.body_was_read and request.form.get("stream") == "true")
    return fault_response(
        fault, path=request.path, streamed=streamed, connection=request.environ.get("gunicorn.socket")
    )


def _require_key(key: str) -> None:
    authorization = request.headers.get("Authorization", "")
    if not authorization.lower().startswith(BEARER):
        raise ApiError(401, "No API key: send it as Authorization: Bearer <key>", code="missing_api_key")
    if not hmac.compare_digest(authorization[len(BEARER) :].strip().encode(), key.encode()):
        raise ApiError(403, "The API key is not valid, or lacks the permission", code="invalid_api_key")


def _read_body(current: Intake) -> None:
    body = request.get_data(cache=True)
    current.body_was_read = True
    current.received.body_size_bytes = len(body)
    if request.path == TRANSCRIPTIONS_PATH:
        current.received.describe_transcription(request.form, request.files.get("file"))
    elif body:
        try:
            current.json = json.loads(body)
        except ValueError:  # not JSON, or not Unicode: the route answers with that error
            return
        current.received.describe_chat(current.json)
