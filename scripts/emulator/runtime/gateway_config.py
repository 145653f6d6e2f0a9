"""The gateway's gunicorn configuration: the platform's limits, and the headers exactly as the client sent them."""

import json
from collections.abc import Mapping
from typing import Any

from emulator.runtime.refusals import refusal_of

# Go's limit for a request line with all its headers is 1 MiB; gunicorn counts each line on its own.
HEADER_SIZE_LIMIT_BYTES = 1 << 20

limit_request_line = 0  # unlimited
limit_request_field_size = HEADER_SIZE_LIMIT_BYTES
limit_request_fields = 32768  # gunicorn's largest
permit_unconventional_http_method = True
header_map = "dangerous"  # names with an underscore are passed on
forwarded_allow_ips = ""  # a client's X-Forwarded-Proto is an ordinary header
# As long as the platform's ingress waits, so that a client's idle connection is not closed while it sends.
keepalive = 60

# Passed in the gateway's environment: every user of the machine can read a command line.
PRIVATE_TOKEN_VARIABLE = "EMULATOR_PRIVATE_TOKEN"  # noqa: S105 # the variable's name, not a token

# The keys in WSGI's `environ` under which the gateway stores the request id of the event, and that it has closed the
# connection without an answer.
REQUEST_ID = "emulator.request_id"
IS_CLOSED = "emulator.is_closed"

HEADERS_VARIABLE = "HTTP_EMULATOR_HEADERS"

# The headers that gunicorn itself needs.
_NEEDED = frozenset({"CONNECTION", "CONTENT-LENGTH", "HOST"})


def pre_request(_worker: Any, request: Any) -> None:
    """Keep the headers as they arrived: WSGI's environment joins duplicates, and names lose their underscores.

    They are passed on as JSON in a header of the emulator's own, since gunicorn passes only headers to the application;
    a client's header of that name is part of the JSON.
    """
    if refusal_of(request.version, request.method, request.uri, request.headers) is not None:
        request.force_close()
    received = json.dumps(request.headers)
    request.headers = [(name, value) for name, value in request.headers if name in _NEEDED]
    request.headers.append(("EMULATOR-HEADERS", received))


def received_headers(environ: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The headers as they arrived, from WSGI's `environ`: names in capitals, values as latin-1, duplicates included."""
    return tuple((name, value) for name, value in json.loads(environ[HEADERS_VARIABLE]))
