"""The event that the platform's core makes of a request; pure: it never talks to anybody.

The core is written in Go and hands the event over as JSON, which decides what becomes of bytes that are no text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from emulator.runtime.header_names import canonical_name

# Go's server takes these out of the headers: they tell of the connection, and of the message's framing.
NOT_PASSED_ON = frozenset({"Host", "Trailer", "Transfer-Encoding"})

# What `surrogateescape` makes of a byte that is no UTF-8: one lone surrogate each, and nothing else becomes one.
_INVALID_BYTE = re.compile("[\udc80-\udcff]")
_SCHEME_AND_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_BASE64_QUANTUM = 4


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it came over the wire.

    `target` is the request line's, undecoded; `headers` are in their order, duplicates included, their values as
    latin-1; `body` is what arrived of it.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def event_of(request: ReceivedRequest) -> dict[str, Any]:
    """The event that the handler sees for `request`, before the platform's ingress adds its headers."""
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
        event["isBase64Encoded"] = True  # the core leaves the key out rather than say false
    return event


def text_of(data: bytes) -> str:
    """`data` as Go's JSON writes it: UTF-8, each byte that is not part of any becoming one U+FFFD."""
    return _INVALID_BYTE.sub("\N{REPLACEMENT CHARACTER}", data.decode("utf-8", "surrogateescape"))


def is_base64(text: str) -> bool:
    """Whether Go's `base64.StdEncoding` decodes `text`: CR and LF are skipped, padding is required, empty is fine."""
    encoded = text.replace("\r", "").replace("\n", "")
    return len(encoded) % _BASE64_QUANTUM == 0 and _BASE64.fullmatch(encoded) is not None


def _last_values(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    values = {canonical_name(name): text_of(value.encode("latin-1")) for name, value in headers}
    return {name: values[name] for name in sorted(values) if name not in NOT_PASSED_ON}


def _path_and_query(target: str) -> tuple[str, str]:
    # A fragment is never sent, so `#` is a character like any other; an absolute target is what a proxy is asked for.
    absolute = _SCHEME_AND_AUTHORITY.match(target)
    path, _, query = target[absolute.end() if absolute else 0 :].partition("?")
    return text_of(unquote_to_bytes(path)), query


def _parameters(query: str) -> dict[str, str]:
    parameters = {}
    for pair in query.split("&"):
        if not pair or ";" in pair or _MALFORMED_ESCAPE.search(pair):
            continue  # Go's url.ParseQuery reports these as errors, which the core does not look at
        name, _, value = pair.partition("=")
        parameters[_unescaped(name)] = _unescaped(value)
    return dict(sorted(parameters.items()))


def _unescaped(text: str) -> str:
    return text_of(unquote_to_bytes(text.replace("+", " ")))
