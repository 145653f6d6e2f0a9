"""The message by which the function queues a request for itself: written and read here, in one form.

Its shape distinguishes it from a client's request with a callback, which would be queued again.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transcriber.errors import RequestError

# An id is a header of the callback later.
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Job:
    """A queued request: its id, and the number of this attempt, from 1."""

    id: str
    attempt: int = 1


def new_job() -> Job:
    """A job with an id that no other job has."""
    return Job(f"msg_{uuid.uuid4().hex}")


def write_job(job: Job, request_fields: Mapping[str, Any]) -> str:
    """The message that has the request with these fields carried out."""
    return json.dumps({"job": {"id": job.id, "attempt": job.attempt, "request": dict(request_fields)}})


def read_job(fields: Mapping[str, Any]) -> tuple[Job | None, Mapping[str, Any]]:
    """The job in `fields` and the fields of its request; no job, and `fields` themselves, for a client's request."""
    if "job" not in fields:
        return None, fields
    job = fields["job"] if isinstance(fields["job"], dict) else {}
    job_id, attempt, request = job.get("id"), job.get("attempt", 1), job.get("request")
    is_numbered = type(attempt) is int and attempt > 0
    if not (isinstance(job_id, str) and _JOB_ID.fullmatch(job_id) and is_numbered) or (
        not isinstance(request, dict) or len(fields) > 1
    ):
        message = 'job is {"id", "attempt"?, "request"}, as this function queues it, and the only field.'
        raise RequestError(message, param="job")
    return Job(job_id, attempt), request
