"""Leases: one instance at a time works on a version of a recording, and what never succeeds ends.

The state is in the storage alone, one object a recording and set of options, and each step of it is one conditional
write:

             ┌────────────────── given up, at once ─────────────────┐
             ▼                                                      │
    free ──create──▶ leased ──results written──▶ completed       leased
             ▲         │ ▲ └──given up, for later──▶ waiting ──due──┤
             │         │ └── replaced: its time is over, or another version
             └─deleted─┘

* A **lease** names a version (the audio's ETag, the options' digest), its owner, and the request, so that a sweep can
  queue it again. It lasts longer than any request may take, and is taken over, by replacing exactly the object that was
  read, when its time is over or when it is for another version: the lease of the newest version counts. Of several who
  try, the storage lets one win.
* It counts **attempts** in a row that added no part. The count is written before the work, so that an attempt that
  kills its instance counts; it begins anew with each part that is added, and an attempt that ended by something that is
  not about the recording is taken out again. Between attempts are waits that grow; after `MAX_ATTEMPTS`, the next
  instance that takes the lease records the failure instead of trying.
* A lease that is **waiting** has no owner, and `not_before`: the queue cannot hold a message back, so that messages
  that come earlier are acknowledged, and the sweep that finds the time passed queues the request again.
* A **result** names its version. It is written over exactly what was there before its writer last saw that the lease
  was still its own; so a writer whose lease was taken over never overwrites what came after it.
* The holder of a new lease looks for a result before working: another one may have finished between its look and its
  lease.

A conditional write whose answer was lost is recognised by its owner. A lease is removed without a condition, right
after a look at it: if it is taken over in between, a third instance may work beside the second. Both write the same
parts, of which the storage keeps one each, and no result is wrong.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from transcriber.cloud.object_storage import StoredObject
from transcriber.jobs.layout import OLD_LEASE, ResultKeys, Version
from transcriber.jobs.lease_record import (
    ATTEMPTS,
    ETAG,
    KEPT,
    KILLED,
    NOT_BEFORE,
    OWNER,
    PARTS,
    QUEUED_AT,
    REASON,
    Lease,
    is_of,
    lease_body,
    lease_document,
    lease_metadata,
    read_number,
    read_time,
    wait_minutes_after,
)

# The ten seconds between TIME_LIMIT and the timeout that ends a request, and clocks that differ by seconds. Not more: a
# recording whose instance was killed waits for this long. A share of a minute, so that scaled trials scale it.
LEASE_MARGIN_MINUTES = 0.25
# Each lost race means that another one has won it; after this many in a row, the winner has the lease.
MAX_RACES = 5


class Objects(Protocol):
    """The part of the storage that leases need; see `transcriber.cloud.object_storage.ObjectStorage`."""

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """The object's facts; None where there is none."""

    def get(self, bucket: str, key: str) -> bytes:
        """All bytes of a small object."""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        """The ETag of the object that was written where none was; None otherwise."""

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        """The ETag of the object that was written over the version `etag`; None where that is not there."""

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there."""


@dataclass(frozen=True)
class InProgress:
    """Another instance works on the version; it is done, or its lease is over, after `seconds` at most."""

    seconds: float


@dataclass(frozen=True)
class Waiting:
    """The work goes on in `seconds`, for `reason`."""

    seconds: float
    reason: str


class Leases:
    """The leases in a storage, of an instance whose requests take at most `time_limit_seconds`."""

    def __init__(
        self,
        objects: Objects,
        *,
        time_limit_seconds: float,
        minute_seconds: float = 60.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._objects = objects
        self._minute = timedelta(seconds=minute_seconds)
        self._duration = timedelta(seconds=time_limit_seconds) + LEASE_MARGIN_MINUTES * self._minute
        self._now = now

    def acquire(
        self,
        keys: ResultKeys,
        version: Version,
        request: Mapping[str, Any],
        *,
        count_parts: Callable[[], int],
        ignores_waits: bool = False,
    ) -> Lease | InProgress | Waiting:
        """The lease of `version`, unless another instance has it, or it is waiting.

        `count_parts` is called where an attempt was made before. A client that waits `ignores_waits`.
        """
        owner = str(uuid.uuid4())
        for _ in range(MAX_RACES):
            lease = Lease(keys, version, owner, "", request)
            if etag := self._objects.create(keys.bucket, keys.lease, lease_body(lease), lease_metadata(lease)):
                return self._after_old_form(replace(lease, etag=etag))
            held = self._objects.head(keys.bucket, keys.lease)
            if held is None:
                continue  # given up just now
            if held.metadata.get(OWNER) == owner:
                return replace(lease, etag=held.etag)
            if is_of(held.metadata, version):
                seconds = self.seconds_until_due(held)
                if held.metadata.get(OWNER) and not self._is_over(held):
                    return InProgress(seconds)
                if seconds > 0 and not ignores_waits:
                    return Waiting(seconds, held.metadata.get(REASON, ""))
                lease = self._next_attempt(lease, held, count_parts())
            if etag := self._objects.replace(
                keys.bucket, keys.lease, lease_body(lease), lease_metadata(lease), etag=held.etag
            ):
                return replace(lease, etag=etag)
        return InProgress(self._duration.total_seconds())

    def seconds_until_due(self, stored: StoredObject) -> float:
        """When work on a lease that is held, over or waiting may go on: in these seconds; zero or less for now."""
        return (self._due_at(stored) - self._now()).total_seconds()

    def is_due(self, stored: StoredObject, *, queued_minutes: float) -> bool:
        """Whether work may go on, and was not queued by another sweep within `queued_minutes`."""
        if self.seconds_until_due(stored) > 0:
            return False
        queued_at = read_time(stored.metadata.get(QUEUED_AT))
        return queued_at is None or self._now() >= queued_at + queued_minutes * self._minute

    def attempts_of(self, stored: StoredObject) -> int:
        """How many attempts in a row have added nothing, as far as the lease shows."""
        return read_number(stored.metadata.get(ATTEMPTS))

    def mark_queued(self, stored: StoredObject, bucket: str, request: Mapping[str, Any]) -> bool:
        """Note that a sweep has queued the request of a due lease; false where it was taken meanwhile."""
        was_killed = bool(stored.metadata.get(OWNER))
        now = self._now().isoformat()
        metadata = {name: stored.metadata[name] for name in KEPT if name in stored.metadata}
        reason = {REASON: KILLED} if was_killed else {}
        metadata |= {"Content-Type": "application/json", NOT_BEFORE: now, QUEUED_AT: now, **reason}
        body = lease_document(stored.metadata.get(ETAG, ""), str(uuid.uuid4()), request)
        return self._objects.replace(bucket, stored.key, body, metadata, etag=stored.etag) is not None

    def request_of(self, stored: StoredObject, bucket: str) -> Mapping[str, Any] | None:
        """The request that a lease was written for; None where it cannot be read any more."""
        try:
            fields = json.loads(self._objects.get(bucket, stored.key))
        except ValueError:
            return None
        request = fields.get("request") if isinstance(fields, dict) else None
        return request if isinstance(request, dict) else None

    def write(self, lease: Lease, suffix: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Write a result, unless the lease was lost; whether it is written. `metadata` is added to the lease's."""
        key = lease.keys.with_suffix(suffix)
        metadata = {**metadata, **lease.metadata}
        for _ in range(MAX_RACES):
            there = self._objects.head(lease.keys.bucket, key)  # before the look at the lease: see above
            if there and there.metadata.get(OWNER) == lease.owner:
                return True
            if not self.holds(lease):
                return False
            if there is None:
                written = self._objects.create(lease.keys.bucket, key, body, metadata)
            else:
                written = self._objects.replace(lease.keys.bucket, key, body, metadata, etag=there.etag)
            if written:
                return True
        return False

    def release(self, lease: Lease) -> None:
        """Give the lease up, completed or to be taken at once; attempts are forgotten."""
        if self.holds(lease):
            self._objects.delete(lease.keys.bucket, lease.keys.lease)

    def wait(self, lease: Lease, *, attempts: int, minutes: float, reason: str, parts: int) -> None:
        """Give the lease up until `minutes` have passed; `attempts` in a row, with this one, have added nothing."""
        not_before = self._now() + minutes * self._minute
        waiting = replace(lease, owner="", attempts=attempts, parts=parts, reason=reason)
        metadata = {**lease_metadata(waiting), NOT_BEFORE: not_before.isoformat()}
        # Lost where the lease was taken over: then its new owner knows better.
        self._objects.replace(lease.keys.bucket, lease.keys.lease, lease_body(waiting), metadata, etag=lease.etag)

    def holds(self, lease: Lease) -> bool:
        """Whether no other instance has taken the lease over."""
        held = self._objects.head(lease.keys.bucket, lease.keys.lease)
        return held is not None and held.etag == lease.etag

    def _next_attempt(self, lease: Lease, held: StoredObject, parts: int) -> Lease:
        before = read_number(held.metadata.get(ATTEMPTS))
        was_killed = bool(held.metadata.get(OWNER))
        attempts = 1 if parts > read_number(held.metadata.get(PARTS)) else before + 1
        reason = KILLED if was_killed else held.metadata.get(REASON, "")
        return replace(lease, attempts=attempts, parts=parts, reason=reason)

    def _after_old_form(self, lease: Lease) -> Lease | InProgress:
        """The lease, unless an instance of an earlier version holds one in its form, which ends with its time."""
        old = self._objects.head(lease.keys.bucket, lease.keys.with_suffix(OLD_LEASE))
        if old is None:
            return lease
        if not self._is_over(old) and is_of(old.metadata, lease.version):
            self.release(lease)
            return InProgress((old.modified_at + self._duration - self._now()).total_seconds())
        self._objects.delete(lease.keys.bucket, old.key)
        return lease

    def _is_over(self, held: StoredObject) -> bool:
        return self._now() >= held.modified_at + self._duration

    def _due_at(self, stored: StoredObject) -> datetime:
        if stored.metadata.get(OWNER):
            # An attempt that ended without a word is followed by the same wait as any other.
            wait_minutes = wait_minutes_after(read_number(stored.metadata.get(ATTEMPTS)) - 1)
            return stored.modified_at + self._duration + wait_minutes * self._minute
        return read_time(stored.metadata.get(NOT_BEFORE)) or stored.modified_at
