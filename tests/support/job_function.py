"""A function on loopback that keeps jobs and uploads by the contract, with the faults that a test gives it."""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from support.loopback import Loopback, Peer, body_of, serve

WORDS: Final = "ask not what your country can do for you"
DOCUMENT: Final[dict[str, Any]] = {
    "text": WORDS,
    "model": "m",
    "duration": 2.0,
    "language": "en",
    "segments": [{"id": 0, "start": 0.0, "end": 2.0, "text": WORDS}],
}
CONTENTS: Final = {"text": WORDS + "\n", "srt": f"1\n00:00:00,000 --> 00:00:02,000\n{WORDS}\n", "json": "{}"}
REASONS: Final = {200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden"}


@dataclass
class JobFunction:
    """What was asked of the function, and how it is to behave."""

    url: str = ""
    # The states that looks at a job find, the last one from then on.
    states: list[dict[str, Any]] = field(default_factory=lambda: [{"status": "completed", "progress": 100}])
    keeps_jobs: bool = True
    token: str | None = None
    private_key: str | None = None
    # Statuses of the next answers to anything but `GET /`, before the function behaves.
    faults: deque[int] = field(default_factory=deque)
    # Set by a test that wants the next PUT to be stored, and its answer to be lost.
    loses_answer_to_put: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    largest_body_bytes: int = 0
    looks: int = 0

    def posts(self) -> list[str]:
        """The paths that were posted to."""
        return [path for method, path in self.asked if method == "POST"]

    def answer(self, peer: Peer) -> None:
        method = peer.request.split(b" ", 1)[0].decode()
        address = urlsplit(peer.path)
        body = body_of(peer.request)
        headers = {
            name.lower(): value.strip()
            for name, _, value in (
                line.partition(":") for line in peer.request.split(b"\r\n\r\n")[0].decode().split("\r\n")
            )
        }
        if address.path.startswith("/bucket/"):
            self._put(peer, address.path, body, headers)
            return
        if self.private_key and headers.get("x-auth-token") != self.private_key:
            _send(peer, 403, "private")
            return
        self.asked.append((method, address.path))
        self.largest_body_bytes = max(self.largest_body_bytes, len(body))
        if (method, address.path) == ("GET", "/"):
            _send(peer, 200, {"status": "ok"})
        elif self.faults:
            _send(peer, self.faults.popleft(), _error("later"))
        elif self.token and headers.get("authorization") != f"Bearer {self.token}":
            _send(peer, 401, _error("the token is wrong"))
        else:
            fields = json.loads(body) if body else {}
            self._function(peer, method, fields, headers)

    def _function(self, peer: Peer, method: str, fields: dict[str, Any], headers: dict[str, str]) -> None:
        path, query = urlsplit(peer.path).path, parse_qs(urlsplit(peer.path).query)
        if (method, path) == ("POST", "/"):
            name = fields["response_format"]
            _send(peer, 200, DOCUMENT if name == "verbose_json" else CONTENTS[name])
        elif not self.keeps_jobs:
            _send(peer, 400, _error("Set OUTPUT_BUCKET.", "async" if "async" in fields else None))
        elif (method, path) == ("POST", "/v1/uploads"):
            number = len(self.objects)
            place = {"method": "PUT", "url": f"{self.url}/bucket/{number}", "headers": {"If-None-Match": "*"}}
            _send(peer, 201, {"id": "u", "object": "upload", **place, "bucket": "bucket", "key": str(number)})
        elif method == "POST":
            self.jobs.append(fields)
            self.keys.append(headers["idempotency-key"])
            _send(peer, 202, {"id": f"job-{len(self.jobs)}", "object": "transcription.job", "status": "queued"})
        elif path.endswith("/content"):
            _send(peer, 200, CONTENTS[query["response_format"][0]])
        else:
            state = self.states[min(self.looks, len(self.states) - 1)]
            self.looks += 1
            _send(peer, state.get("answers", 200), {"id": path.rsplit("/", 1)[-1], **state})

    def _put(self, peer: Peer, path: str, body: bytes, headers: dict[str, str]) -> None:
        if path in self.objects:
            assert headers["if-none-match"] == "*"
            _send(peer, 412, "")
            return
        self.objects[path] = body
        if self.loses_answer_to_put:
            self.loses_answer_to_put = False
            peer.reset()
            return
        _send(peer, 200, "")


@contextmanager
def job_function(**behaviour: Any) -> Iterator[JobFunction]:
    """A function that behaves as said, until left."""
    function = JobFunction(**behaviour)
    with serve(function.answer) as server:
        assert isinstance(server, Loopback)
        function.url = server.url
        yield function


def _error(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": "invalid_request"}}


def _send(peer: Peer, status: int, body: dict[str, Any] | str) -> None:
    data = body if isinstance(body, str) else json.dumps(body)
    peer.answer(data.encode(), status=f"{status} {REASONS.get(status, 'Status')}")


def job_ids(function: JobFunction) -> set[str]:
    """The jobs that were looked at."""
    return set(re.findall(r"job-\d+", " ".join(path for _, path in function.asked)))
