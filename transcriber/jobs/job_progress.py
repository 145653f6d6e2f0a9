"""The progress of a job, written to its record as parts are written."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

from transcriber.errors import JobNotFoundError, TranscriberError
from transcriber.jobs.parts import PartObjects, Parts
from transcriber.jobs.records import MOST_PROGRESS, JobRecord, JobStore
from transcriber.request_log import JsonLogger, error_log_fields
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult


class JobProgress:
    """The record of a job while a worker is at it; several threads report to it."""

    def __init__(self, jobs: JobStore, record: JobRecord, log: JsonLogger) -> None:
        self._jobs = jobs
        self._log = log
        self._lock = Lock()
        self._duration_seconds: float | None = None
        self._done: set[Span] = set()
        self.record = record

    def update(self, **changes: Any) -> JobRecord:
        """Change the record; `JobNotFoundError` where the job was deleted."""
        with self._lock:
            self.record = self._jobs.update(self.record, **changes)
            return self.record

    def expect(self, duration_seconds: float) -> None:
        """Take note of the recording's length."""
        with self._lock:
            self._duration_seconds = duration_seconds
            self._write()

    def add(self, span: Span) -> None:
        """Take note of a chunk that is done; `JobNotFoundError` where the job was deleted."""
        with self._lock:
            self._done.add(span)
            self._write()

    def _write(self) -> None:
        if not self._duration_seconds:
            return
        done_seconds = sum(span.duration_seconds for span in self._done)
        progress = min(MOST_PROGRESS, int(100 * done_seconds / self._duration_seconds))
        if self.record.progress is not None and progress <= self.record.progress:
            return
        try:
            self.record = self._jobs.update(self.record, progress=progress)
        except JobNotFoundError:
            raise
        except TranscriberError as error:
            # The part is kept: the next one says how far the work is.
            self._log("warning", "the progress of a job could not be kept", **error_log_fields(error))


class WatchedParts(Parts):
    """Parts that report each chunk to the record of a job."""

    def __init__(
        self, objects: PartObjects, bucket: str, prefix: str, log: JsonLogger, *, progress: JobProgress
    ) -> None:
        super().__init__(objects, bucket, prefix, log)
        self._progress = progress

    def expect(self, duration_seconds: float) -> None:
        """Take note of the recording's length."""
        self._progress.expect(duration_seconds)

    def load(self, span: Span) -> tuple[ChunkResult, ...] | None:
        """What came of the chunk before."""
        results = super().load(span)
        if results is not None:
            self._progress.add(span)
        return results

    def keep(self, span: Span, results: Sequence[ChunkResult]) -> Sequence[ChunkResult]:
        """Write what came of the chunk."""
        kept = super().keep(span, results)
        self._progress.add(span)
        return kept
