"""What became of requests with an Idempotency-Key, so that the same request has the same answer again.

One object for each key, named by its hash: first it says that a request is at work, and by which job; then, without a
job, what was answered. It lies with the jobs, and expires with them.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.delivery.answer import Answer
from transcriber.errors import IdempotencyKeyReusedError, SourceNotFoundError
from transcriber.jobs.layout import WORK

# The ten seconds between TIME_LIMIT and the timeout that ends a request, and clocks that differ by seconds.
MARGIN_SECONDS: Final = 15.0
_CONTENT: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class FirstRequest:
    """The first request under a key: its job, its answer, or neither yet; it `is_over` where it was ended before.

    `key` and `etag` are those of the object that says so.
    """

    key: str
    etag: str
    fingerprint: str
    job_id: str | None
    answer: Answer | None
    is_over: bool


class ReplayStore:
    """The first requests under their keys, in `bucket`."""

    def __init__(
        self,
        storage: ObjectStorage,
        bucket: str,
        *,
        prefix: str,
        days: int,
        time_limit_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._bucket = bucket
        self._prefix = f"{prefix}{WORK}jobs/keys/"
        self._lifetime = timedelta(days=days)
        self._longest = timedelta(seconds=time_limit_seconds + MARGIN_SECONDS)
        self._now = now

    def begin(self, idempotency_key: str, request: Mapping[str, Any], job_id: str | None) -> FirstRequest | None:
        """The claim of the key for a first request; None where there is one already."""
        return self._claimed(self._key(idempotency_key), _fingerprint(request), job_id, etag=None)

    def take_over(self, first: FirstRequest, request: Mapping[str, Any], job_id: str | None) -> FirstRequest | None:
        """The claim of the key, where the first request was ended, or its job is gone; None where another has it."""
        return self._claimed(first.key, _fingerprint(request), job_id, etag=first.etag)

    def first(self, idempotency_key: str, request: Mapping[str, Any]) -> FirstRequest | None:
        """The first request under the key; `IdempotencyKeyReusedError` if it was another one; None without one."""
        key = self._key(idempotency_key)
        try:
            stored, body = self._storage.fetch(self._bucket, key)
        except SourceNotFoundError:
            return None
        fields = json.loads(body)
        answer = None if fields["answer"] is None else Answer(**fields["answer"])
        at = datetime.fromisoformat(fields["at"])
        is_expired = self._now() >= at + self._lifetime
        if fields["fingerprint"] != _fingerprint(request) and not is_expired:
            raise IdempotencyKeyReusedError(
                "Another request was sent under this Idempotency-Key; send each request under a key of its own.",
                param="Idempotency-Key",
            )
        return FirstRequest(
            key,
            stored.etag,
            fields["fingerprint"],
            fields["job"],
            None if is_expired else answer,
            is_over=is_expired or (answer is None and self._now() >= at + self._longest),
        )

    def keep(self, first: FirstRequest, answer: Answer) -> None:
        """Keep the answer of the first request."""
        kept = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        body = self._body(first.fingerprint, first.job_id, kept)
        self._storage.replace(self._bucket, first.key, body, _CONTENT, etag=first.etag)

    def give_up(self, first: FirstRequest) -> None:
        """Let the next request under the key be the first one: this one had no answer that lasts."""
        self._storage.delete(self._bucket, first.key)

    def _claimed(self, key: str, fingerprint: str, job_id: str | None, *, etag: str | None) -> FirstRequest | None:
        body = self._body(fingerprint, job_id, None)
        if etag is None:
            written = self._storage.create(self._bucket, key, body, _CONTENT)
        else:
            written = self._storage.replace(self._bucket, key, body, _CONTENT, etag=etag)
        if written is None:
            return None
        return FirstRequest(key, written, fingerprint, job_id, None, is_over=False)

    def _key(self, idempotency_key: str) -> str:
        return f"{self._prefix}{hashlib.sha256(idempotency_key.encode()).hexdigest()}.json"

    def _body(self, fingerprint: str, job_id: str | None, answer: Mapping[str, Any] | None) -> bytes:
        fields = {
            "replay": 1,
            "fingerprint": fingerprint,
            "at": self._now().isoformat(),
            "job": job_id,
            "answer": answer,
            "writer": secrets.token_hex(8),  # so that no two have the same ETag
        }
        return json.dumps(fields).encode()


def _fingerprint(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
