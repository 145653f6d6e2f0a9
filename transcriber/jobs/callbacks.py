"""Callbacks that are still owed: the request, and its answer once there is one, until the receiver has taken it.

A queue cannot hold a message back. What has to wait, for another request's transcript or for a receiver that is down,
is an object under `.work/jobs/owed/`, which a sweep queues when it is due.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.errors import SourceNotFoundError
from transcriber.jobs.layout import WORK
from transcriber.request.job_message import Job, KeptAnswer

_NOT_BEFORE: Final = "job-not-before"
# Minutes until a receiver that was down is called again: over a day in all, as Standard Webhooks recommends.
DELIVERY_MINUTES: Final = (5.0, 30.0, 120.0, 300.0, 600.0, 600.0)


@dataclass(frozen=True)
class OwedCallback:
    """A job with a callback: its request, and how often delivering its answer has failed; `created_at` in UTC."""

    job: Job
    request: Mapping[str, Any]
    created_at: datetime
    failed_deliveries: int = 0


class CallbackStore:
    """The callbacks that are owed, in the bucket of the results."""

    def __init__(
        self,
        storage: ObjectStorage,
        *,
        prefix: str,
        minute_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self.prefix = f"{prefix}{WORK}jobs/owed/"
        self._minute = timedelta(seconds=minute_seconds)
        self._now = now

    def keep(self, bucket: str, owed: OwedCallback, *, minutes: float) -> None:
        """Write the callback, due in `minutes`."""
        answer = owed.job.answer
        body = {
            "job": 1,
            "id": owed.job.id,
            "attempt": owed.job.attempt,
            "request": owed.request,
            "created_at": owed.created_at.isoformat(),
            "failed_deliveries": owed.failed_deliveries,
            "answer": None if answer is None else {"content_type": answer.content_type, "body": answer.body},
        }
        not_before = self._now() + minutes * self._minute
        metadata = {"Content-Type": "application/json", _NOT_BEFORE: not_before.isoformat()}
        key, encoded = self._key(owed.job.id), json.dumps(body).encode()
        if self._storage.create(bucket, key, encoded, metadata) is None:
            there = self._storage.head(bucket, key)
            if there is not None:
                self._storage.replace(bucket, key, encoded, metadata, etag=there.etag)

    def get(self, bucket: str, job_id: str) -> OwedCallback | None:
        """The callback of a job; None where none is owed."""
        try:
            fields = json.loads(self._storage.get(bucket, self._key(job_id)))
        except SourceNotFoundError:
            return None
        answer = fields["answer"]
        return OwedCallback(
            Job(fields["id"], fields["attempt"], None if answer is None else KeptAnswer(**answer)),
            fields["request"],
            datetime.fromisoformat(fields["created_at"]),
            fields["failed_deliveries"],
        )

    def remove(self, bucket: str, job_id: str) -> None:
        """Forget a callback."""
        self._storage.delete(bucket, self._key(job_id))

    def take_due(self, bucket: str, listed: StoredObject, *, again_minutes: float) -> OwedCallback | None:
        """The callback in a listed object if it is due; it is due again in `again_minutes`, unless it is removed."""
        stored = self._storage.head(bucket, listed.key)
        if stored is None or not self._is_due(stored):
            return None
        owed = self.get(bucket, listed.key.removeprefix(self.prefix).removesuffix(".json"))
        if owed is None:
            return None
        owed = replace(owed, job=replace(owed.job, attempt=owed.job.attempt + 1))
        self.keep(bucket, owed, minutes=again_minutes)
        return owed

    def is_expired(self, owed: OwedCallback, days: int) -> bool:
        """Whether the callback has been owed for longer than jobs are kept."""
        return self._now() >= owed.created_at + timedelta(days=days)

    def now(self) -> datetime:
        """The time, for a new callback."""
        return self._now()

    def _is_due(self, stored: StoredObject) -> bool:
        try:
            return self._now() >= datetime.fromisoformat(stored.metadata[_NOT_BEFORE])
        except (KeyError, ValueError):
            return True

    def _key(self, job_id: str) -> str:
        return f"{self.prefix}{job_id}.json"
