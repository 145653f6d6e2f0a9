"""What a sweep leaves to the next one: where it ended, and which recordings it has queued that are not begun yet.

One object for each bucket and prefix, which can be lost without harm: the next sweep then begins at the first key, and
queues what may be in the queue already.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import SourceNotFoundError
from transcriber.jobs.layout import WORK
from transcriber.request.sweep_request import SweepRequest

# What the quota of requests lets the API take between two sweeps; a backlog is queued as it is worked off, so that the
# queue never holds many messages for one recording, nor more than its 100 MB.
MAX_QUEUED: Final = 1_500
# A message that was not begun after this is taken for lost; one that comes all the same finds the work done.
QUEUED_MINUTES: Final = 360.0
_DIGEST_LENGTH: Final = 16
# A schedule runs at least every day: where the last sweep is longer ago, there is none.
SCHEDULE_HOURS: Final = 25.0


class SweepState:
    """The state of sweeps of `request`, kept in `bucket` under `prefix`."""

    def __init__(
        self,
        storage: ObjectStorage,
        bucket: str,
        prefix: str,
        request: SweepRequest,
        *,
        minute_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._bucket = bucket
        sweep = _digest(json.dumps([request.bucket, request.prefix]))
        self._key = f"{prefix}{WORK}sweeps/{sweep}.json"
        self._lifetime = timedelta(seconds=minute_seconds) * QUEUED_MINUTES
        self._now = now
        self._stored = self._read()
        after, queued = self._stored.get("after"), self._stored.get("queued")
        # The last key that a sweep came to; "" where it came to the end.
        self.after = after if isinstance(after, str) else ""
        times = _times(queued) if isinstance(queued, dict) else {}
        # Those of messages that were lost, and of recordings that were removed, would keep the places of others.
        self._queued = {digest: time for digest, time in times.items() if self._now() < time + self._lifetime}

    @property
    def is_full(self) -> bool:
        """Whether enough is queued."""
        return len(self._queued) >= MAX_QUEUED

    def is_queued(self, key: str, *, done_at: datetime | None) -> bool:
        """Whether a message for the recording waits; not where it was done since, and its result was removed."""
        queued_at = self._queued.get(_digest(key))
        if queued_at is None:
            return False
        # Listings state times in whole seconds.
        is_done_since = done_at is not None and done_at >= queued_at.replace(microsecond=0)
        return not is_done_since

    def note_queued(self, key: str) -> None:
        """Note that a message for the recording was sent."""
        self._queued[_digest(key)] = self._now()

    def note_begun(self, key: str) -> None:
        """Note that the recording is done, or in work."""
        self._queued.pop(_digest(key), None)

    def write(self) -> None:
        """Keep the state."""
        queued = {digest: time.isoformat() for digest, time in self._queued.items()}
        state = {"after": self.after, "queued": queued} if self.after or queued else {}
        if state == self._stored:
            return
        if state:
            self._storage.put(self._bucket, self._key, json.dumps(state).encode(), {"Content-Type": "application/json"})
        else:
            self._storage.delete(self._bucket, self._key)

    def _read(self) -> dict[str, object]:
        try:
            state = json.loads(self._storage.get(self._bucket, self._key))
        except (SourceNotFoundError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}


class SweepMark:
    """Whether a schedule sweeps: each sweep leaves a mark, since nothing else tells a request."""

    def __init__(
        self,
        storage: ObjectStorage,
        bucket: str,
        prefix: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._bucket = bucket
        self._key = f"{prefix}{WORK}sweeps/last.json"
        self._now = now

    def write(self) -> None:
        """Leave the mark of a sweep."""
        body = json.dumps({"swept_at": self._now().isoformat()}).encode()
        self._storage.put(self._bucket, self._key, body, {"Content-Type": "application/json"})

    def is_recent(self) -> bool:
        """Whether there was a sweep within `SCHEDULE_HOURS`."""
        try:
            swept_at = datetime.fromisoformat(json.loads(self._storage.get(self._bucket, self._key))["swept_at"])
        except (SourceNotFoundError, ValueError, KeyError, TypeError):
            return False
        return self._now() < swept_at + timedelta(hours=SCHEDULE_HOURS)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def _times(queued: dict[str, object]) -> dict[str, datetime]:
    try:
        return {digest: datetime.fromisoformat(str(time)) for digest, time in queued.items()}
    except ValueError:
        return {}
