"""The effects of injected faults: on the answer, and on the connection."""

import errno
import json
import socket
import time
from collections.abc import Iterator
from typing import Any, assert_never

from flask import Response

from emulator.connection_reset import reset
from emulator.generative.budget import Output, halve, repeat
from emulator.generative.errors import ApiError, error_body, error_response
from emulator.generative.faults import Fault, FaultKind
from emulator.generative.server_sent_events import DONE, event_stream
from emulator.recognisers.base import words_with_spaces

ERRORS = {
    FaultKind.RATE_LIMITED: ApiError(429, "Too many requests or tokens in this minute", code="rate_limit_exceeded"),
    FaultKind.SERVER_ERROR: ApiError(500, "The server had an error while processing the request"),
    FaultKind.TIMED_OUT: ApiError(504, "The request took too long to process: split the input"),
}

GARBAGE = "<html><body>upstream connect error {{ not JSON"

# For how long, and in which blocks, an upload is read after its answer; otherwise a reset could lose the answer.
LINGER_SECONDS = 5.0
LINGER_BLOCK_BYTES = 64 * 1024


def fault_response(fault: Fault, *, path: str, streamed: bool, connection: socket.socket | None) -> Response | None:
    """The answer of the fault in place of the route's; `None` for a fault that leaves the answer to the route."""
    kind = fault.fault
    match kind:
        case FaultKind.RATE_LIMITED | FaultKind.SERVER_ERROR | FaultKind.TIMED_OUT:
            response = error_response(ERRORS[kind], path)
            if fault.retry_after_header is not None:
                response.headers["Retry-After"] = fault.retry_after_header
            return response
        case FaultKind.ERROR_IN_200:
            body = json.dumps(error_body(ERRORS[FaultKind.SERVER_ERROR], path))
            return event_stream([body, DONE]) if streamed else Response(body, mimetype="application/json")
        case FaultKind.GARBAGE:
            return Response(GARBAGE, mimetype="text/html")
        case FaultKind.RESET:
            if connection is not None:
                reset(connection)
            return Response()
        case FaultKind.WAIT:
            time.sleep(fault.seconds)
            return None
        case (
            FaultKind.EMPTY | FaultKind.LENGTH | FaultKind.REPEAT | FaultKind.SHORT | FaultKind.WRAPPED | FaultKind.CUT
        ):
            return None
        case _:
            assert_never(kind)


def apply_to_output(output: Output, fault: Fault | None, limit: int) -> Output:
    """`output` as the fault changes it; `limit` is its largest number of tokens."""
    match fault.fault if fault is not None and output.tokens else None:
        case FaultKind.EMPTY:
            return Output((), "stop")
        case FaultKind.LENGTH:
            return halve(output)
        case FaultKind.REPEAT:
            return repeat(output, limit)
        case FaultKind.SHORT:
            return Output(tuple(words_with_spaces(output.text)[:2]), "stop")
        case FaultKind.WRAPPED:
            return Output(('Here is the transcript:\n\n"', *output.tokens, '"'), output.finish_reason)
        case _:
            return output


def cut_short(response: Response) -> Response:
    """The answer with its stated length, but with the connection closed in the middle of its body."""
    length_is_known = not response.is_streamed
    body = response.get_data()

    def half() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionResetError(errno.ECONNRESET, "cut on demand")  # gunicorn closes, and logs nothing

    headers = [(name, value) for name, value in response.headers.items() if name != "Content-Length"]
    if length_is_known:
        headers.append(("Content-Length", str(len(body))))
    return Response(half(), status=response.status_code, headers=headers)


def linger(response: Response, environ: dict[str, Any]) -> Response:
    """An answer to a request whose body was not read: it is sent at once, then the upload is drained.

    This is nginx's `lingering_close`. gunicorn drains 64 KiB and then closes, and the reset that follows unread data
    can reach the client before the answer.
    """
    body = response.get_data()

    def answer_then_drain() -> Iterator[bytes]:
        yield body
        deadline = time.monotonic() + LINGER_SECONDS
        try:
            environ["gunicorn.socket"].settimeout(LINGER_SECONDS)
            while time.monotonic() < deadline and environ["wsgi.input"].read(LINGER_BLOCK_BYTES):
                pass
        except OSError:  # the client has left or is too slow; it has its answer
            return

    drained = Response(answer_then_drain(), status=response.status_code, headers=response.headers)
    drained.headers["Content-Length"] = str(len(body))
    return drained
