"""The gateway's gunicorn worker, whose own answers do not show that gunicorn gives them."""

import contextlib
from typing import Any

import gunicorn.http.wsgi
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException, UnsupportedTransferCoding
from gunicorn.workers.gthread import ThreadWorker

from emulator.runtime.refusals import BAD_REQUEST

# The ingress's name in each answer, by the official local emulator.
SERVER = "envoy"

HEADERS_TOO_LARGE = "431 Request Header Fields Too Large"
NOT_IMPLEMENTED = "501 Not Implemented"


class GatewayWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """A worker with threads that refuses a malformed request in the form of Go's server."""

    def init_process(self) -> None:
        """Start as gunicorn does, with the ingress's name."""
        gunicorn.http.wsgi.SERVER = SERVER
        super().init_process()

    def handle_error(self, request: Any, client: Any, address: Any, error: BaseException) -> None:
        """Refuse a request that cannot be parsed; another error is the gateway's own, and is logged."""
        if not isinstance(error, ParseException):
            super().handle_error(request, client, address, error)
            return
        match error:
            case LimitRequestHeaders() | LimitRequestLine():
                status = HEADERS_TOO_LARGE
            case UnsupportedTransferCoding():
                status = NOT_IMPLEMENTED
            case _:
                status = BAD_REQUEST
        headers = f"Content-Type: text/plain; charset=utf-8\r\nServer: {SERVER}\r\nConnection: close\r\n"
        length = f"Content-Length: {len(status)}\r\n"
        with contextlib.suppress(OSError):  # the client may have left
            client.sendall(f"HTTP/1.1 {status}\r\n{headers}{length}\r\n{status}".encode())
