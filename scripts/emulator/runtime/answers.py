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

import flask.json

from emulator.runtime import events
from emulator.runtime.base64_check import illegal_byte, is_base64
from emulator.runtime.content_type import content_type_of
from emulator.runtime.header_names import canonical_name
from emulator.runtime.records import Record, record_of

CORS_HEADERS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Content-Type"}

# Go's server panics when a status has not three digits, and then closes the connection.
STATUSES = range(100, 1000)
# An informational status is not the final one, which is then a 200. After 101, Go leaves the connection to the handler;
# as an ingress cannot go on with that either, the connection is closed (a guess).
INFORMATIONAL_STATUSES = range(100, 200)
STATUSES_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

NO_JSON = "unexpected end of JSON input"
NOT_BASE64 = "illegal base64 data at input byte {}"
# Go's names of the JSON values that are no strings, by their first character; the others are numbers.
_JSON_TYPES = {"{": "object", "[": "array", "t": "bool", "f": "bool"}

# The server that sends the answer sets these; a handler's own `Content-Length` is sent as it is.
_FRAMING_HEADERS = frozenset({"Connection", "Transfer-Encoding"})
CONTENT_LENGTH = "Content-Length"
_LENGTH = re.compile(r"[0-9]{1,18}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Answer:
    """The answer to the client; header names are canonical, values latin-1 as in HTTP.

    `is_broken` means that the connection is closed after it, since its `Content-Length` is not that of the body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_broken: bool = False


def text_of(returned: object) -> str:
    """The sub-runtime's text for a handler's return value: a str as it is, anything else as Flask's JSON.

    Raises `TypeError` or `ValueError` for values that Flask's JSON cannot hold: bytes, a set, keys of several types.
    """
    if isinstance(returned, str):
        return returned
    return flask.json.dumps(returned, sort_keys=True, separators=(",", ":")) + "\n"


def answer_of(text: str) -> Answer | None:
    """The answer that the core makes of the sub-runtime's `text`; `None` means that it closes the connection instead.

    A JSON object whose fields have the right types is a record. Any other text becomes the body, with status 200. So
    does a record with neither a status nor a body.
    """
    record = record_of(text)
    whole = not record.is_well_typed or (record.status is None and record.body is None)
    status: int = HTTPStatus.OK if whole or record.status is None else record.status
    headers = _headers(record)
    raw_body = text if whole else record.body or ""
    if record.is_base64:
        encoded, error = _encoded(raw_body)
        if error is not None:
            return error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, error, headers)
        body = _passed_on(b64decode(encoded))
    else:
        body = _passed_on(_utf8(raw_body))
    if status not in STATUSES or status == HTTPStatus.SWITCHING_PROTOCOLS:
        return None
    if status in INFORMATIONAL_STATUSES:
        status = HTTPStatus.OK
    if status in STATUSES_WITHOUT_BODY:
        return Answer(status, CORS_HEADERS | headers)
    return _with_body(status, CORS_HEADERS | headers, body)


def error_answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error of the platform, in the form of Go's `http.Error`: plain text with a line feed at its end.

    `headers` are those that the handler had set before.
    """
    plain = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    kept = {name: value for name, value in (headers or {}).items() if name != CONTENT_LENGTH}
    return Answer(status, CORS_HEADERS | kept | plain, _utf8(f"{message}\n"))


def _with_body(status: int, headers: dict[str, str], body: bytes) -> Answer:
    """The answer with its content type, and with no byte of a body that is longer than the handler's length."""
    length = int(headers.get(CONTENT_LENGTH, len(body)))
    sent = body if len(body) <= length else b""
    if sent and "Content-Type" not in headers and not headers.get("Content-Encoding"):
        headers["Content-Type"] = content_type_of(sent)
    return Answer(status, headers, sent, is_broken=length != len(body))


def _headers(record: Record) -> dict[str, str]:
    headers = {}
    for name, value in record.headers.items():
        canonical = canonical_name(name)
        if not _HEADER_NAME.fullmatch(name) or canonical in _FRAMING_HEADERS:
            continue
        if canonical == CONTENT_LENGTH and not _LENGTH.fullmatch(value):
            continue  # Go ignores one that is not a number
        headers[canonical] = _utf8(_CONTROL_CHARACTERS.sub(" ", value)).decode("latin-1")
    return headers


def _encoded(raw_body: str) -> tuple[str, str | None]:
    """The base64 text in the JSON of a body, and Go's error if it is something else."""
    start = raw_body.lstrip(" \t\n\r")[:1]
    if not start:
        return "", NO_JSON
    if start == "n":  # null leaves a string as it is, which is empty
        return "", None
    encoded = _json_string(raw_body)
    if encoded is None:
        found = _JSON_TYPES.get(start, "number")
        return "", f"json: cannot unmarshal {found} into Go value of type string"
    return encoded, None if is_base64(encoded) else NOT_BASE64.format(illegal_byte(encoded))


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
