"""Finds work that waited and is due: leases that are over or whose wait has passed, and callbacks that are owed.

The listing of either is short: what is in work, waits or is owed has an object there, and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.deadline import Deadline
from transcriber.jobs.callbacks import CallbackStore
from transcriber.jobs.layout import WORK
from transcriber.jobs.leases import Leases
from transcriber.request.job_message import JOB_ID, Job, new_job

# How long what a sweep has queued is left to the queue, in minutes: a backlog takes hours, and each message that comes
# too often costs a look at the storage.
QUEUED_MINUTES: Final = 30.0
# In the request of a lease: the job that works on the recording.
JOB_FIELD: Final = "job"


@dataclass(frozen=True)
class DueRequest:
    """A request to carry out, as a message has it; `attempts` in a row have added nothing.

    `swept_key` is that of a recording which a sweep found to be missing.
    """

    job: Job
    request: Mapping[str, Any]
    attempts: int = 0
    swept_key: str | None = None


class DueWork:
    """What is due in `bucket`; with `has_queue`, what is found is left to the queue for a while."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        storage: ObjectStorage,
        leases: Leases,
        callbacks: CallbackStore,
        has_queue: bool,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}{WORK}leases/"
        self._storage = storage
        self._leases = leases
        self._callbacks = callbacks
        self._has_queue = has_queue

    def requests(self, deadline: Deadline) -> Iterator[DueRequest]:
        """The requests that are due, as long as there is time."""
        jobs = set()
        for listed in self._listed(self._callbacks.prefix, deadline):
            owed = self._callbacks.take_due(self._bucket, listed, again_minutes=QUEUED_MINUTES)
            if owed is not None:
                jobs.add(owed.job.id)
                yield DueRequest(owed.job, owed.request)
        for listed in self._listed(self._prefix, deadline):
            if (due := self._due_lease(listed)) and due.job.id not in jobs:
                yield due

    def _listed(self, prefix: str, deadline: Deadline) -> Iterator[StoredObject]:
        for page in self._storage.pages(self._bucket, prefix, deadline=deadline):
            for listed in page:
                if deadline.has_passed():
                    return
                yield listed

    def _due_lease(self, listed: StoredObject) -> DueRequest | None:
        stored = self._storage.head(self._bucket, listed.key)
        if stored is None or not self._leases.is_due(stored, queued_minutes=QUEUED_MINUTES):
            return None
        request = self._leases.request_of(stored, self._bucket)
        if request is None or not self._is_there(request):
            self._storage.delete(self._bucket, stored.key)
            return None
        if self._has_queue and not self._leases.mark_queued(stored, self._bucket, request):
            return None  # taken over just now
        # The lease of a recording that a job is about: the job goes on.
        fields = {name: value for name, value in request.items() if name != JOB_FIELD}
        job_id = request.get(JOB_FIELD)
        job = Job(job_id) if isinstance(job_id, str) and JOB_ID.fullmatch(job_id) else new_job()
        return DueRequest(job, fields, self._leases.attempts_of(stored))

    def _is_there(self, request: Mapping[str, Any]) -> bool:
        """Whether the recording of a request still exists."""
        bucket, key = request.get("bucket"), request.get("key")
        return isinstance(bucket, str) and isinstance(key, str) and self._storage.head(bucket, key) is not None
