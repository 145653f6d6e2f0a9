"""Remembers the requests to the function, and loses answers on demand: WSGI around the gateway."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.connection_reset import reset
from emulator.runtime.gateway_server import REQUEST_ID, received_headers
from emulator.state.faults import PlatformFaultKind, PlatformFaults
from emulator.state.platform_state import RequestRecord, Trigger

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# The key in WSGI's `environ` of a request's sender.
TRIGGER = "emulator.trigger"

REMEMBERED_REQUESTS = 200


class Activity:
    """The WSGI application around `gateway`; safe to use from several threads.

    The gateway makes an answer as a whole, so that it can be held back here until it is certain that it is sent. A
    trigger calls like every client; to be recognised, it announces the id of its request first.
    """

    def __init__(self, gateway: "WSGIApplication", faults: PlatformFaults) -> None:
        self._gateway = gateway
        self._faults = faults
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=REMEMBERED_REQUESTS)
        self._announced: dict[str, Trigger] = {}

    def announce(self, trigger: Trigger) -> str:
        """The id that the trigger's next request has to carry as `X-Request-ID`."""
        request_id = str(uuid.uuid4())
        with self._lock:
            self._announced[request_id] = trigger
        return request_id

    def records(self) -> tuple[RequestRecord, ...]:
        """The latest answered requests, newest first."""
        with self._lock:
            return tuple(reversed(self._records))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Let the gateway answer, and remember it."""
        began, started = time.time(), time.monotonic()
        trigger = environ[TRIGGER] = self._trigger(environ)
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def hold_back(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            answered.append((status, headers))

        body = self._gateway(environ, hold_back)
        line, headers = answered[-1]
        status: int | None = int(line.split()[0])
        lost = self._faults.take(PlatformFaultKind.LOSE, trigger)
        if lost is not None:
            status = lost.status
            line, headers, body = f"{status or 500} Lost", [("Content-Length", "0")], ()
            if status is None:
                reset(environ["gunicorn.socket"])  # there is no reader for the rest
        start_response(line, headers)
        record = RequestRecord(
            time=began,
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
