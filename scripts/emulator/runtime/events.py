"""The event that the platform's core makes of a request; pure, without I/O.

The core is written in Go and passes the event on as JSON, so bytes that are not text are changed as Go's JSON does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from emulator.runtime.base64_check import is_base64
from emulator.runtime.header_names import canonical_name

# Go's server removes these headers, which describe the connection and the message's framing.
NOT_PASSED_ON = frozenset({"Host", "Trailer", "Transfer-Encoding"})

# `surrogateescape` maps each byte that is not UTF-8, and nothing else, to one lone surrogate.
_INVALID_BYTE = re.compile("[\udc80-\udcff]")
_SCHEME_AND_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived.

    `target` is the undecoded one of the request line; `headers` are in order, duplicates included, values as latin-1;
    `body` is the part that arrived.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def event_of(request: ReceivedRequest) -> dict[str, Any]:
    """The handler's event for `request`, before the platform's ingress adds its headers."""
    path, query = _path_and_query(request.target)
    body = text_of(request.body)
    event: dict[str, Any] = {
        "resource": "",
        "path": path,
        "httpMethod": request.method,
        "headers": _last_values(request.headers),
        "multiValueHeaders": None,
        "queryStringParameters": _parameters(query),
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": {},
        "requestContext": {
            "accountId": "",
            "resourceId": "",
            "stage": "",
            "requestId": "",
            "resourcePath": "",
            "authorizer": None,
            "httpMethod": request.method,
            "apiId": "",
        },
        "body": body,
    }
    if is_base64(body):
        event["isBase64Encoded"] = True  # the core omits the key instead of sending false
    return event


def text_of(data: bytes) -> str:
    """`data` as Go's JSON writes it: UTF-8, where each invalid byte becomes one U+FFFD."""
    return _INVALID_BYTE.sub("\N{REPLACEMENT CHARACTER}", data.decode("utf-8", "surrogateescape"))


def _last_values(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    values = {canonical_name(name): text_of(value.encode("latin-1")) for name, value in headers}
    return {name: values[name] for name in sorted(values) if name not in NOT_PASSED_ON}


def _path_and_query(target: str) -> tuple[str, str]:
    # Clients never send a fragment, so `#` is an ordinary character; an absolute target is a request to a proxy.
    absolute = _SCHEME_AND_AUTHORITY.match(target)
    path, _, query = target[absolute.end() if absolute else 0 :].partition("?")
    return text_of(unquote_to_bytes(path)), query


def _parameters(query: str) -> dict[str, str]:
    parameters = {}
    for pair in query.split("&"):
        if not pair or ";" in pair or _MALFORMED_ESCAPE.search(pair):
            continue  # Go's url.ParseQuery reports these as errors, which the core ignores
        name, _, value = pair.partition("=")
        parameters[_unescaped(name)] = _unescaped(value)
    return dict(sorted(parameters.items()))


def _unescaped(text: str) -> str:
    return text_of(unquote_to_bytes(text.replace("+", " ")))
