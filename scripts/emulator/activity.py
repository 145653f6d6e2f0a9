"""Remembers what the function was asked, whoever asked, and loses answers on demand: WSGI around the gateway."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.connection_reset import reset
from emulator.gateway_server import REQUEST_ID, received_headers
from emulator.platform_faults import PlatformFaultKind, PlatformFaults
from emulator.platform_state import RequestRecord, Trigger

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Where in WSGI's `environ` the gateway finds who asks.
TRIGGER = "emulator.trigger"

REMEMBERED_REQUESTS = 200


class Activity:
    """The WSGI application around `gateway`; safe to use from several threads.

    A trigger of the platform asks as every client does. To be told apart, it announces the id of its request first.
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
        """The latest requests that are answered, newest first."""
        with self._lock:
            return tuple(reversed(self._records))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Have the gateway answer, and remember that it did."""
        began, started = time.time(), time.monotonic()
        trigger = environ[TRIGGER] = self._trigger(environ)
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            statuses.append(status)
            return start_response(status, headers, exc_info)

        # The gateway's answers are made before any of them is sent, so that nothing has gone out yet.
        body = self._gateway(environ, start)
        status: int | None = int(statuses[-1].split()[0])
        lost = self._faults.take(PlatformFaultKind.LOSE, trigger)
        if lost is not None:
            status = lost.status
            body = _lose(status, environ, start_response)
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


def _lose(status: int | None, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Send an empty answer with `status` in place of the handler's, or none at all."""
    if status is None:
        reset(environ["gunicorn.socket"])
        status = 500  # nobody is there to read it
    start_response(f"{status} Lost", [("Content-Length", "0"), ("Connection", "close")])
    return []
