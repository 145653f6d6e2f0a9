"""gunicorn's configuration of the gateway: the platform's limits, and the headers as the client sent them."""

import json
from collections.abc import Mapping
from typing import Any

# Go's limit for a request line with all its headers is 1 MiB; gunicorn counts each line on its own.
HEADER_SIZE_LIMIT_BYTES = 1 << 20

limit_request_line = 0  # none
limit_request_field_size = HEADER_SIZE_LIMIT_BYTES
limit_request_fields = 32768  # gunicorn's largest
permit_unconventional_http_method = True
header_map = "dangerous"  # names with an underscore are passed on
forwarded_allow_ips = ""  # a client's X-Forwarded-Proto is an ordinary header
keepalive = (
    60  # as long as the platform's ingress waits, so that a client's idle connection is not closed while it sends
)

# In the gateway's own environment: everybody can read a command line.
PRIVATE_TOKEN_VARIABLE = "EMULATOR_PRIVATE_TOKEN"  # noqa: S105 - the name of one

# Where in WSGI's `environ` the gateway leaves the id that the event has for the request.
REQUEST_ID = "emulator.request_id"

HEADERS_VARIABLE = "HTTP_EMULATOR_HEADERS"

# gunicorn uses these itself.
_NEEDED = frozenset({"CONNECTION", "CONTENT-LENGTH", "HOST"})


def pre_request(_worker: Any, request: Any) -> None:
    """Keep the headers as they arrived: in WSGI's environment, duplicates are joined and names lose their underscores.

    They travel as JSON in a header of our own, the only thing that gunicorn passes on to the application; a client's
    header of that name is inside, not beside it.
    """
    received = json.dumps(request.headers)
    request.headers = [(name, value) for name, value in request.headers if name in _NEEDED]
    request.headers.append(("EMULATOR-HEADERS", received))


def received_headers(environ: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The headers as they arrived, from WSGI's `environ`: names in capitals, values as latin-1, duplicates included."""
    return tuple((name, value) for name, value in json.loads(environ[HEADERS_VARIABLE]))
