"""The message by which the function queues a request for itself: written and read here, in one form.

Its shape distinguishes it from a client's request with a callback, which would be queued again. It is signed with a key
that is derived from the queue's secret, so that it passes where clients need ACCESS_TOKEN, and that no client can forge
one there.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from transcriber.errors import RequestError

# The id of a job that has a record.
JOB_ID: Final = re.compile(r"job_[0-9a-f]{32}")
# An id is a header of the callback later, where the job has no record.
_ANY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
# What the key is derived for, so that it is not the one that signs requests to the queue.
_PURPOSE: Final = b"transcriber: messages of its own, version 1"
_VERSION: Final = "v1,"
# How each message begins, so that others need not be parsed to see that they are none.
_BEGINNING: Final = '{"job":'


@dataclass(frozen=True)
class KeptAnswer:
    """A finished answer whose callback is still owed."""

    content_type: str
    body: str


@dataclass(frozen=True)
class Job:
    """A queued request: its id, the number of this attempt, from 1, and its answer if only the callback is owed."""

    id: str
    attempt: int = 1
    answer: KeptAnswer | None = None

    @property
    def has_record(self) -> bool:
        """Whether a client can look at it."""
        return JOB_ID.fullmatch(self.id) is not None


def new_job() -> Job:
    """A job with an id that no other job has."""
    return Job(f"msg_{uuid.uuid4().hex}")


def write_job(job: Job, request_fields: Mapping[str, Any], secret: str) -> str:
    """The message that has the request with these fields carried out, signed by QUEUE_SECRET_KEY."""
    fields: dict[str, Any] = {"id": job.id, "attempt": job.attempt, "request": dict(request_fields)}
    if job.answer is not None:
        fields["answer"] = {"content_type": job.answer.content_type, "body": job.answer.body}
    return json.dumps({"job": fields, "signature": _sign(fields, secret)}, separators=(", ", ":"))


def may_be_job(body: str) -> bool:
    """Whether a body may be such a message, by its beginning."""
    return body.startswith(_BEGINNING)


def is_signed(fields: Mapping[str, Any], secret: str | None) -> bool:
    """Whether `fields` are a message that a function with the same QUEUE_SECRET_KEY has written."""
    job, signature = fields.get("job"), fields.get("signature")
    if secret is None or not isinstance(job, dict) or not isinstance(signature, str):
        return False
    try:
        return hmac.compare_digest(signature.encode(), _sign(job, secret).encode())
    except UnicodeEncodeError:
        return False


def read_job(fields: Mapping[str, Any]) -> tuple[Job | None, Mapping[str, Any]]:
    """The job in `fields` and the fields of its request; no job, and `fields` themselves, for a client's request."""
    if "job" not in fields:
        return None, fields
    job = fields["job"] if isinstance(fields["job"], dict) else {}
    job_id, attempt, request = job.get("id"), job.get("attempt", 1), job.get("request")
    is_numbered = type(attempt) is int and attempt > 0
    if not (isinstance(job_id, str) and _ANY_ID.fullmatch(job_id) and is_numbered) or (
        not isinstance(request, dict) or fields.keys() - {"job", "signature"}
    ):
        message = 'job is {"id", "attempt"?, "request"}, as this function queues it, and the only field.'
        raise RequestError(message, param="job")
    return Job(job_id, attempt, _read_answer(job.get("answer"))), request


def _read_answer(fields: object) -> KeptAnswer | None:
    if not isinstance(fields, dict):
        return None
    content_type, body = fields.get("content_type"), fields.get("body")
    if not isinstance(content_type, str) or not isinstance(body, str):
        raise RequestError('job.answer is {"content_type", "body"}.', param="job.answer")
    return KeptAnswer(content_type, body)


def _sign(job: Mapping[str, Any], secret: str) -> str:
    key = hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()
    text = json.dumps(job, sort_keys=True, separators=(",", ":"))
    return _VERSION + base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
