"""A bucket and a queue in memory that count requests, and note when the last part and a completed record came.

`/_seen` answers what was counted since it was last requested, and the queue's messages since then.
"""

import hashlib
import json
import socket
import time
from threading import Lock
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from bench_suite.exchange import Request, response_head
from bench_suite.links import Links, Pace
from bench_suite.servers import Answer

BUCKET: Final = "recordings"
QUEUE: Final = "/queue"
SEEN: Final = "/_seen"
_DATE: Final = "Mon, 30 Nov 2026 08:00:00 GMT"


class _Bucket:
    """The objects with their headers, and what was seen."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._lock = Lock()
        self._seen: dict[str, Any] = {}
        self.forget()

    def forget(self) -> dict[str, Any]:
        seen, self._seen = self._seen, {"requests": 0, "messages": [], "part_at": 0.0, "completed_at": 0.0}
        return seen

    def answer(self, request: Request, body: bytes) -> tuple[str, dict[str, str], bytes]:
        """Status, headers and body."""
        parts = urlsplit(request.target)
        key = unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        with self._lock:
            if parts.path == SEEN:
                return "200 OK", {}, json.dumps(self.forget()).encode()
            if parts.path == QUEUE:
                form = parse_qs(body.decode())
                self._seen["messages"] += [values[0] for name, values in form.items() if name.endswith("MessageBody")]
                return "200 OK", {}, b"<R><SendMessageBatchResultEntry><Id>0</Id></SendMessageBatchResultEntry></R>"
            self._seen["requests"] += 1
            if not key:
                return "200 OK", {}, self._listing({name: each[0] for name, each in parse_qs(parts.query).items()})
            return self._object(key, request, body)

    def _object(self, key: str, request: Request, body: bytes) -> tuple[str, dict[str, str], bytes]:
        match request.method:
            case "PUT":
                return self._put(key, request, body)
            case "DELETE":
                self.objects.pop(key, None)
                return "204 No Content", {}, b""
        if key not in self.objects:
            return "404 Not Found", {}, b"" if request.method == "HEAD" else b"<Error><Code>NoSuchKey</Code></Error>"
        found, headers = self.objects[key]
        return "200 OK", headers, found

    def _put(self, key: str, request: Request, body: bytes) -> tuple[str, dict[str, str], bytes]:
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        there = self.objects.get(key)
        is_lost = there is not None if "if-none-match" in request.headers else False
        if expected := request.headers.get("if-match"):
            is_lost = there is None or there[1]["ETag"] != expected
        if is_lost:
            return "412 Precondition Failed", {}, b""
        kept = {name: value for name, value in request.headers.items() if name.startswith("x-amz-meta-")}
        self.objects[key] = body, {"ETag": etag, "Last-Modified": _DATE, **kept}
        now = time.monotonic()
        if "/parts/" in key:
            self._seen["part_at"] = now
        if key.endswith("/job.json") and b'"status": "completed"' in body:
            self._seen["completed_at"] = now
        return "200 OK", {"ETag": etag}, b""

    def _listing(self, query: dict[str, str]) -> bytes:
        keys = [key for key in sorted(self.objects) if key.startswith(query.get("prefix", ""))]
        contents = "".join(
            f"<Contents><Key>{quote(key)}</Key><ETag>{self.objects[key][1]['ETag']}</ETag><Size>1</Size></Contents>"
            for key in keys
        )
        return f"<ListBucketResult>{contents}<IsTruncated>false</IsTruncated></ListBucketResult>".encode()


def make_answer(links: Links) -> Answer:
    """What answers each request."""
    bucket, pace = _Bucket(), Pace(links.bytes_per_second)

    def answer(connection: socket.socket, request: Request) -> None:
        status, headers, found = bucket.answer(request, b"".join(request.body(pace)))
        head = response_head(status, len(found), **headers)
        connection.sendall(head if request.method == "HEAD" else head + found)

    return answer
