"""The records of jobs: one object each, whose every change is one conditional write.

A record goes from queued to in progress to completed or failed, and never back; its progress never falls. A job that is
deleted leaves a tombstone in its place, so that a worker that is at it finds its next write refused. `README.md` beside
this has the states.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import JobNotFoundError, SourceNotFoundError, StorageRefusedError
from transcriber.jobs.layout import WORK
from transcriber.request.job_message import JOB_ID
from transcriber.request.s3_events import ObjectReference

# Each lost race means that another instance has moved the job on, and a job has few states to move to.
MAX_RACES: Final = 8
# As long as one part is missing.
MOST_PROGRESS: Final = 99
_CONTENT: Final = {"Content-Type": "application/json"}
_RECORD, _RECORDING, _TRANSCRIPT = "job.json", "recording", "transcript.json"


class JobStatus(StrEnum):
    """OpenAI's words for where a job is."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more."""
        return self in {JobStatus.COMPLETED, JobStatus.FAILED}


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed: the answer that a client that waited would have had."""

    status: int
    error: Mapping[str, Any]


@dataclass(frozen=True)
class CopyState:
    """The upload by which the recording becomes an object: of which version, and how long it is where that is known."""

    upload_id: str
    version: str
    size_bytes: int | None = None


@dataclass(frozen=True)
class JobRecord:
    """A job: what was requested, and how far it is; times in UTC.

    `request` has the fields of its message. `webhook_id` is that of its callback, which strangers see. `progress` is in
    percent; None where the duration is not known. `audio_etag` is the version of its recording, once that is there;
    `attempts` in a row have copied nothing more of it.
    """

    id: str
    request: Mapping[str, Any]
    created_at: datetime
    webhook_id: str = ""
    status: JobStatus = JobStatus.QUEUED
    progress: int | None = None
    completed_at: datetime | None = None
    failure: JobFailure | None = None
    warnings: tuple[str, ...] = ()
    audio_etag: str = ""
    options: str = ""
    copy: CopyState | None = None
    copied_parts: int = 0
    attempts: int = 0
    is_deleted: bool = False
    # Of the object that holds it: its version, and what tells one writer from another.
    etag: str = ""
    writer: str = ""

    @property
    def recording(self) -> ObjectReference | None:
        """The recording; None as long as it is at an address."""
        bucket, key = self.request.get("bucket"), self.request.get("key")
        return ObjectReference(bucket, key) if isinstance(bucket, str) and isinstance(key, str) else None


_FIELDS: Final = frozenset(each.name for each in fields(JobRecord))
_TIMES: Final = ("created_at", "completed_at")


def new_job_id() -> str:
    """An id that cannot be guessed: 128 random bits."""
    return f"job_{secrets.token_hex(16)}"


class JobStore:
    """The records of jobs in `bucket`, and the keys of what is theirs."""

    def __init__(
        self,
        storage: ObjectStorage,
        bucket: str,
        *,
        prefix: str,
        days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self.bucket = bucket
        self._prefix = f"{prefix}{WORK}jobs/"
        self._lifetime = timedelta(days=days)
        self.now = now

    def folder(self, job_id: str) -> str:
        """The beginning of the keys of all that is the job's alone."""
        return f"{self._prefix}{job_id}/"

    def recording(self, job_id: str) -> ObjectReference:
        """Where the job's copy of its recording is."""
        return ObjectReference(self.bucket, self.folder(job_id) + _RECORDING)

    def create(self, record: JobRecord) -> JobRecord:
        """Write the record of a new job."""
        written = replace(record, writer=secrets.token_hex(8))
        etag = self._storage.put(self.bucket, self._key(record.id), _to_bytes(written), _CONTENT)
        return replace(written, etag=etag)

    def get(self, job_id: str) -> JobRecord:
        """The record of a job; `JobNotFoundError` where it is unknown, deleted, or older than jobs are kept."""
        record = self.get_or_tombstone(job_id)
        if record.is_deleted or self.now() >= record.created_at + self._lifetime:
            raise _not_found()
        return record

    def get_or_tombstone(self, job_id: str) -> JobRecord:
        """The record of a job, also where it is deleted or too old; `JobNotFoundError` where there is none."""
        if not JOB_ID.fullmatch(job_id):
            raise _not_found()
        try:
            stored, body = self._storage.fetch(self.bucket, self._key(job_id))
            return _from_bytes(job_id, body, stored.etag)
        except (SourceNotFoundError, ValueError, KeyError, TypeError):
            raise _not_found() from None
        except StorageRefusedError as error:
            error.add("It is the bucket of OUTPUT_BUCKET.")
            raise

    def update(self, record: JobRecord, **changes: Any) -> JobRecord:
        """Change the record; `JobNotFoundError` where the job was deleted.

        What another instance has written meanwhile stays: a final status, and a progress that is further on.
        """
        writer = secrets.token_hex(8)
        for _ in range(MAX_RACES):
            if record.status.is_final:
                return record
            changed = _changed(record, changes, writer)
            body = _to_bytes(changed)
            etag = self._storage.replace(self.bucket, self._key(record.id), body, _CONTENT, etag=record.etag)
            if etag is not None:
                return replace(changed, etag=etag)
            record = self.get(record.id)
            if record.writer == writer:
                return record  # its answer was lost
        return record

    def bury(self, record: JobRecord) -> None:
        """Put a tombstone in the record's place: with what its removal needs, and nothing of the request."""
        place = {name: record.request[name] for name in ("bucket", "key") if name in record.request}
        tombstone = JobRecord(
            record.id,
            place,
            record.created_at,
            audio_etag=record.audio_etag,
            options=record.options,
            copy=record.copy,
            is_deleted=True,
            writer=secrets.token_hex(8),
        )
        self._storage.put(self.bucket, self._key(record.id), _to_bytes(tombstone), _CONTENT)

    def put_recording(self, job_id: str, body: bytes) -> str:
        """Write a job's recording, and return its ETag."""
        place = self.recording(job_id)
        return self._storage.put(place.bucket, place.key, body, {"Content-Type": "application/octet-stream"})

    def keep_transcript(self, job_id: str, document: Mapping[str, Any]) -> None:
        """Write the transcript of a job: its own, whatever becomes of that of the recording."""
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        self._storage.put(self.bucket, self.folder(job_id) + _TRANSCRIPT, body, _CONTENT)

    def transcript(self, job_id: str) -> Mapping[str, Any]:
        """The document of a job's transcript; `JobNotFoundError` where it is gone."""
        try:
            document: Mapping[str, Any] = json.loads(self._storage.get(self.bucket, self.folder(job_id) + _TRANSCRIPT))
        except SourceNotFoundError:
            raise _not_found() from None
        return document

    def remove(self, record: JobRecord) -> None:
        """Remove all that is the job's alone, but its record."""
        for page in self._storage.pages(self.bucket, self.folder(record.id)):
            for stored in page:
                if stored.key != self._key(record.id):
                    self._storage.delete(self.bucket, stored.key)

    def forget(self, job_id: str) -> None:
        """Remove the record itself, of a job that no client knows."""
        self._storage.delete(self.bucket, self._key(job_id))

    def _key(self, job_id: str) -> str:
        return self.folder(job_id) + _RECORD


def _changed(record: JobRecord, changes: Mapping[str, Any], writer: str) -> JobRecord:
    changed = replace(record, **changes, writer=writer)
    if record.progress is not None and (changed.progress is None or changed.progress < record.progress):
        changed = replace(changed, progress=record.progress)
    return changed


def _to_bytes(record: JobRecord) -> bytes:
    values = asdict(record)
    del values["id"], values["etag"]
    times = {name: None if values[name] is None else values[name].isoformat() for name in _TIMES}
    return json.dumps({"record": 1, **values, **times}).encode()


def _from_bytes(job_id: str, body: bytes, etag: str) -> JobRecord:
    # A later version may have written further fields.
    values = {name: value for name, value in json.loads(body).items() if name in _FIELDS}
    times = {name: None if values[name] is None else datetime.fromisoformat(values[name]) for name in _TIMES}
    failure, copy = values["failure"], values.get("copy")
    typed = {
        "status": JobStatus(values["status"]),
        "warnings": tuple(values["warnings"]),
        "failure": None if failure is None else JobFailure(**failure),
        "copy": None if copy is None else CopyState(**copy),
    }
    return JobRecord(**{**values, **times, **typed, "id": job_id, "etag": etag})


def _not_found() -> JobNotFoundError:
    return JobNotFoundError("There is no such job: its id is wrong, it was deleted, or its time (JOB_DAYS) is over.")
