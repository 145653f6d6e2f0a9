"""WSGI middleware around the gateway: records the requests to the function, and loses answers on demand."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.connection_reset import reset
from emulator.runtime.gateway_config import IS_CLOSED, REQUEST_ID, received_headers
from emulator.state.faults import PlatformFaultKind, PlatformFaults
from emulator.state.platform_state import RequestRecord, Trigger

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# The key in WSGI's `environ` for the kind of sender.
TRIGGER = "emulator.trigger"

MAX_RECORDS = 200


class Activity:
    """The WSGI application around `gateway`; safe to use from several threads.

    The gateway returns an answer as a whole, so it can be held back here until it is decided whether it is sent. A
    trigger calls the function like any client; it announces its request's id first, so that it is recognised.
    """

    def __init__(self, gateway: "WSGIApplication", faults: PlatformFaults) -> None:
        self._gateway = gateway
        self._faults = faults
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=MAX_RECORDS)
        self._announced: dict[str, Trigger] = {}

    def announce(self, trigger: Trigger) -> str:
        """Return the id that the trigger has to send as `X-Request-ID` with its next request."""
        request_id = str(uuid.uuid4())
        with self._lock:
            self._announced[request_id] = trigger
        return request_id

    def records(self) -> tuple[RequestRecord, ...]:
        """The latest answered requests, newest first."""
        with self._lock:
            return tuple(reversed(self._records))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request to the gateway, and record it with its answer."""
        arrived_at, started = time.time(), time.monotonic()
        trigger = environ[TRIGGER] = self._trigger(environ)
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def hold_back(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            answered.append((status, headers))

        body = self._gateway(environ, hold_back)
        line, headers = answered[-1]
        status = None if environ.get(IS_CLOSED) else int(line.split()[0])
        lost = self._faults.take(PlatformFaultKind.LOSE, trigger)
        if lost is not None:
            status = lost.status
            line, headers, body = f"{status or 500} Lost", [("Content-Length", "0")], ()
            if status is None:
                reset(environ["gunicorn.socket"])  # nothing reads what follows
        start_response(line, headers)
        record = RequestRecord(
            time=arrived_at,
            trigger=trigger,
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            status=status,
            seconds=time.monotonic() - started,
            request_id=environ.get(REQUEST_ID, ""),
        )
        with self._lock:
            self._records.append(record)
        return body

    def _trigger(self, environ: Mapping[str, Any]) -> Trigger:
        request_id = dict(received_headers(environ)).get("X-REQUEST-ID", "")
        with self._lock:
            return self._announced.pop(request_id, "http")
