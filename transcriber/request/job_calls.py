"""The calls about a job by its id: its status, its transcript, its removal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from transcriber.errors import JobNotFoundError, MethodNotAllowedError, RequestError
from transcriber.request.event import HttpRequest
from transcriber.request.fields import refuse_unknown
from transcriber.request.job_message import JOB_ID
from transcriber.request.options import read_response_format
from transcriber.request.trigger import Trigger
from transcriber.response_format import ResponseFormat

# An instance answers one request at a time: one that waits does nothing else.
MAX_WAIT_SECONDS: Final = 20.0
JOB_METHODS: Final = ("GET", "HEAD", "OPTIONS", "DELETE")
CONTENT_METHODS: Final = ("GET", "HEAD", "OPTIONS")
JOBS_PATH: Final = "/v1/audio/transcriptions"
_JOB_PATH: Final = re.compile(r"/audio/transcriptions/(?P<id>[^/]+)(?P<content>/content)?/*\Z")


@dataclass(frozen=True)
class JobStatusRequest:
    """How far a job is; the answer is held for `wait_seconds` as long as it is not finished."""

    trigger: ClassVar[Trigger] = Trigger.HTTP

    job_id: str
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class JobContentRequest:
    """The transcript of a job; `response_format` None is that of its request."""

    trigger: ClassVar[Trigger] = Trigger.HTTP

    job_id: str
    response_format: ResponseFormat | None = None


@dataclass(frozen=True)
class JobDeletionRequest:
    """The removal of a job."""

    trigger: ClassVar[Trigger] = Trigger.HTTP

    job_id: str


JobCall: TypeAlias = JobStatusRequest | JobContentRequest | JobDeletionRequest


def is_job_call(http_request: HttpRequest) -> bool:
    """Whether the path is that of a job."""
    return _JOB_PATH.search(http_request.path) is not None


def read_job_call(http_request: HttpRequest) -> JobCall:
    """The call in a request with the path of a job."""
    match = _JOB_PATH.search(http_request.path)
    if match is None or not JOB_ID.fullmatch(match["id"]):
        raise JobNotFoundError("There is no such job: its id is job_ and 32 hexadecimal digits.")
    is_content = bool(match["content"])
    allowed = CONTENT_METHODS if is_content else JOB_METHODS
    if http_request.method not in allowed:
        message = f"{http_request.method[:20]} is no method of a job; {', '.join(allowed)} are."
        raise MethodNotAllowedError(message, allowed=allowed)
    query = http_request.query
    if is_content:
        refuse_unknown(query, ("response_format",), what="the query of a job's transcript")
        return JobContentRequest(match["id"], read_response_format(query))
    if http_request.method == "DELETE":
        return JobDeletionRequest(match["id"])
    refuse_unknown(query, ("wait",), what="the query of a job")
    return JobStatusRequest(match["id"], _read_wait(query))


def jobs_path(path: str) -> str:
    """The path under which jobs are found, seen from a request's own: the function may be mounted anywhere."""
    return path.rstrip("/").removesuffix("/audio/transcriptions").removesuffix("/v1") + JOBS_PATH


def _read_wait(query: Mapping[str, str]) -> float:
    text = query.get("wait", "0").strip()
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise RequestError(f"wait is a number of seconds, up to {MAX_WAIT_SECONDS:g}.", param="wait")
    return min(float(text), MAX_WAIT_SECONDS)
