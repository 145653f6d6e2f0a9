"""Reads the platform's event as an HTTP request, whatever its shape; never fails, and ignores the base64 flag.

The platform sets `isBase64Encoded` for any body that happens to decode as base64 (`true`, `1234`, `ping`) and leaves
the body unchanged, so the flag says nothing about the client's intention.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# An id that may be echoed as X-Request-Id: no header injection, and not long.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# https://www.w3.org/TR/trace-context/#traceparent-header: version ff, and ids of zeros alone, are invalid.
_TRACEPARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=-|\Z)"
)


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request to the function; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str]
    body: str = field(repr=False)
    request_id: str

    @property
    def traceparent(self) -> str | None:
        """The trace that the caller is in (W3C Trace Context); None without one, or where it is malformed."""
        value = self.headers.get("traceparent", "").strip()
        match = _TRACEPARENT.match(value)
        # A later version may add to the end; what it begins with stays the same.
        if match is None or (match["version"] == "00" and match.end() != len(value)):
            return None
        return match[0]

    @property
    def is_preflight(self) -> bool:
        """Whether it is a browser's question what it may send."""
        return self.method == "OPTIONS"


def read_event(event: object) -> HttpRequest:
    """The request in `event`; fields that are missing or of another type are read as empty."""
    fields: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    headers = {name.lower(): value for name, value in _texts(fields.get("headers")).items()}
    body = fields.get("body")
    request_id = headers.get("x-request-id", "")
    return HttpRequest(
        method=str(fields.get("httpMethod") or "POST").upper(),
        path=str(fields.get("path") or "/"),
        headers=headers,
        query=_texts(fields.get("queryStringParameters")),
        body=body if isinstance(body, str) else "",
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else str(uuid.uuid4()),
    )


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {name: text for name, text in value.items() if isinstance(name, str) and isinstance(text, str)}
