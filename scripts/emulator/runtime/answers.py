"""The HTTP answer that the platform makes of a handler's return value; pure, without I/O.

Two programs take part, and the answer shows traits of both: the Python sub-runtime turns the value into text
(`text_of`); the core, written in Go, reads that text as a record of status, headers and body (`answer_of`).
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn

import flask.json

from emulator.runtime import events
from emulator.runtime.header_names import canonical_name

CORS_HEADERS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Content-Type"}

# Go's server panics when a status has not three digits, and a status below 200 is not a final answer.
FINAL_STATUSES = range(200, 1000)
STATUSES_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

# Go's messages for a body that contradicts `isBase64Encoded`; those for other types and positions end differently.
NOT_A_STRING = "json: cannot unmarshal object into Go value of type string"
NOT_BASE64 = "illegal base64 data at input byte 0"

# The server that sends the answer sets these.
_FRAMING_HEADERS = frozenset({"Connection", "Content-Length", "Transfer-Encoding"})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Go examines this many bytes of a body without a content type; if any of these is among them, the body is binary.
_SNIFFED_BYTES = 512
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_HTML = re.compile(
    rb"[\t\n\x0c\r ]*<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    """The answer to the client; header names are canonical, values latin-1 as in HTTP."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def text_of(returned: object) -> str:
    """The sub-runtime's text for a handler's return value: a str as it is, anything else as Flask's JSON.

    Raises `TypeError` or `ValueError` for values that Flask's JSON cannot hold: bytes, a set, keys of several types.
    """
    if isinstance(returned, str):
        return returned
    return flask.json.dumps(returned, sort_keys=True, separators=(",", ":")) + "\n"


def answer_of(text: str) -> Answer:
    """The answer that the core makes of the sub-runtime's `text`.

    A JSON object whose fields have the right types is a record. Any other text becomes the body, with status 200. So
    does a record with neither a status nor a body.
    """
    record = _json_object(text)
    has_either = record.get("statusCode") is not None or "body" in record
    whole = not (has_either and _is_well_typed(record))
    status: int = HTTPStatus.OK if whole or record.get("statusCode") is None else record["statusCode"]
    if status not in FINAL_STATUSES:
        return error_answer(HTTPStatus.BAD_GATEWAY, f"The function answered with an impossible status: {status}")

    raw_body = text if whole else _raw_body(record)
    if record.get("isBase64Encoded") is True:
        encoded = _json_string(raw_body)
        if encoded is None:
            return error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, NOT_A_STRING)
        if not events.is_base64(encoded):
            return error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, NOT_BASE64)
        body = _passed_on(b64decode(encoded))
    else:
        body = _passed_on(_utf8(raw_body))
    if status in STATUSES_WITHOUT_BODY:
        body = b""

    headers = CORS_HEADERS | _headers(record)
    if body and "Content-Type" not in headers and not headers.get("Content-Encoding"):
        headers["Content-Type"] = _sniffed_type(body)
    return Answer(status, headers, body)


def error_answer(status: int, message: str) -> Answer:
    """An error of the platform, in the form of Go's `http.Error`: plain text with a line feed at its end."""
    headers = CORS_HEADERS | {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Answer(status, headers, _utf8(f"{message}\n"))


def _json_object(text: str) -> dict[str, Any]:
    """`text` as a JSON object; empty if it is not one, for example because of NaN or Infinity."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_well_typed(record: Mapping[str, Any]) -> bool:
    headers = record.get("headers")
    if isinstance(headers, dict):
        headers_fit = all(_header_value(value) is not None for value in headers.values())
    else:
        headers_fit = headers is None
    return (
        headers_fit
        and type(record.get("statusCode")) in {int, type(None)}  # not isinstance: a bool would be an int
        and type(record.get("isBase64Encoded")) in {bool, type(None)}
    )


def _header_value(value: object) -> str | None:
    """A header's value as text, `None` if it has a wrong type; a list of one string is documented to work."""
    if value is None:
        return ""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def _headers(record: Mapping[str, Any]) -> dict[str, str]:
    returned = record.get("headers")
    if not isinstance(returned, dict):
        return {}
    headers = {}
    for name, value in returned.items():
        canonical = canonical_name(name)
        if _HEADER_NAME.fullmatch(name) and canonical not in _FRAMING_HEADERS:
            headers[canonical] = _utf8(_CONTROL_CHARACTERS.sub(" ", _header_value(value) or "")).decode("latin-1")
    return headers


def _raw_body(record: Mapping[str, Any]) -> str:
    """The body as the record's JSON text has it; empty if there is none."""
    return json.dumps(record["body"], separators=(",", ":")) if "body" in record else ""


def _passed_on(body: bytes) -> bytes:
    """`body` as the core writes it: a body that starts like a JSON string is parsed as one, and lost if it is none."""
    if not body.startswith(b'"'):
        return body
    return _utf8(_json_string(events.text_of(body)) or "")


def _json_string(text: str) -> str | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _utf8(text: str) -> bytes:
    """`text` as UTF-8; a lone surrogate becomes U+FFFD, as in Go's JSON."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _sniffed_type(body: bytes) -> str:
    """The content type that Go's server detects; only the part of its table that separates text from bytes."""
    start = body[:_SNIFFED_BYTES]
    if _HTML.match(start):
        return "text/html; charset=utf-8"
    return "application/octet-stream" if _BINARY.search(start) else "text/plain; charset=utf-8"
