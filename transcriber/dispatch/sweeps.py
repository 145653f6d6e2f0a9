"""Carries out a sweep: what waited and is due, then recordings without a result, then what has failed before.

With a queue, a sweep sends messages alone; without one, it transcribes as much as its time allows. A sweep that ends
early leaves its place in the storage, and the next one begins there, so that each recording has its turn.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from transcriber.cloud.queue_limits import MAX_BATCH
from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import counts_answer
from transcriber.dispatch.attempt import END_SHARE
from transcriber.dispatch.callbacks import CallbackWork
from transcriber.dispatch.jobs import JobWork
from transcriber.dispatch.uploads import UploadWork, ends_sweep, has_time
from transcriber.errors import SourceTimeoutError, TranscriberError
from transcriber.jobs.due import DueRequest
from transcriber.jobs.layout import keeps_jobs
from transcriber.jobs.records import JobStatus
from transcriber.jobs.sweep import SweptObject
from transcriber.jobs.sweep_state import SweepState
from transcriber.request.job_message import Job, new_job
from transcriber.request.parse import read_own_request
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.request_log import RequestReport, error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.services import Services


class SweepWork:
    """Carries out sweeps with the services of an instance."""

    def __init__(self, services: Services, uploads: UploadWork, callbacks: CallbackWork, jobs: JobWork) -> None:
        self._services = services
        self._uploads = uploads
        self._callbacks = callbacks
        self._jobs = jobs

    def sweep(self, request: SweepRequest, scope: RequestScope) -> Answer:
        """Queue what is due and what has no result, or transcribe as much of it as the time allows."""
        counts = Counter(found=0, resumed=0, queued=0, done=0, skipped=0, failed=0, called_back=0)
        stores = self._services.stores(scope.deadline)
        if keeps_jobs(self._services.settings):
            stores.sweep_mark.write()
        state = stores.sweep_state(request)
        # What the sweep leaves to the next one is written in the rest of the time.
        walk = replace(scope, deadline=scope.deadline.earlier(END_SHARE * scope.deadline.limit_seconds))
        work = islice(self._work(request, state, counts, walk), request.limit)
        failure = None
        try:
            if self._has_queue:
                self._queue(work, state, counts, scope)
            else:
                failure = self._transcribe(work, counts, scope)
        except SourceTimeoutError:
            if not walk.deadline.has_passed():
                raise
        finally:
            state.write()
        scope.report.add(**counts)
        if failure is not None:
            raise failure
        return counts_answer(counts)

    def _queue(self, work: Iterator[DueRequest], state: SweepState, counts: Counter[str], scope: RequestScope) -> None:
        while batch := list(islice(work, MAX_BATCH)):
            self._services.send_jobs([(due.job, due.request) for due in batch], scope.deadline)
            for due in batch:
                if due.swept_key is not None:
                    state.note_queued(due.swept_key)
            counts["queued"] += len(batch)

    def _transcribe(
        self, work: Iterator[DueRequest], counts: Counter[str], scope: RequestScope
    ) -> TranscriberError | None:
        """Transcribe one recording after the other; an error that every other recording would meet ends it."""
        for due in work:
            failure = self._carry_out(due, counts, scope)
            if ends_sweep(failure):
                return failure
        return None

    def _carry_out(self, due: DueRequest, counts: Counter[str], scope: RequestScope) -> TranscriberError | None:
        """Carry out one request; the error if another attempt may cure it."""
        if due.job.has_record:
            self._carry_out_job(due.job, counts, scope)
            return None
        try:
            request = read_own_request(due.job, due.request)
            if request.callback is None and isinstance(request.source, ObjectReference):
                return self._uploads.transcribe(request.source, request.options, counts, scope)
            if request.callback is not None:
                self._callbacks.carry_out(request, request.callback, due.job, scope)
                counts["called_back"] += 1
        except TranscriberError as error:
            counts["failed"] += 1
            scope.log("warning", "a callback is still owed", job=due.job.id, **error_log_fields(error))
            return error if error.is_retryable else None
        return None

    def _carry_out_job(self, job: Job, counts: Counter[str], scope: RequestScope) -> None:
        """Go on with a job; what became of it is in its record."""
        report = RequestReport(trigger="job")
        try:
            status = self._jobs.carry_out(job, replace(scope, report=report)).status
        except TranscriberError as error:
            report.add(**error_log_fields(error))
            counts["failed" if error.is_retryable else "skipped"] += 1
        else:
            if status.is_final:
                counts["done" if status is JobStatus.COMPLETED else "failed"] += 1
        scope.log("info", "job", **report.log_fields)

    def _work(
        self, request: SweepRequest, state: SweepState, counts: Counter[str], scope: RequestScope
    ) -> Iterator[DueRequest]:
        """What there is to do, in order, as long as there is time; everything that was seen is counted."""
        stores = self._services.stores(scope.deadline)
        later = []
        for each in stores.due(request).requests(scope.deadline):
            if each.attempts:
                later.append(each)
            else:
                counts["resumed"] += 1
                yield each
        for swept in _reporting_backlog(stores.sweep(request, after=state.after).objects(scope.deadline), scope):
            reference = swept.reference
            counts["found"] += 1
            if not swept.is_missing:
                state.note_begun(reference.key)
            is_queued = self._has_queue and state.is_queued(reference.key, done_at=swept.done_at)
            is_missing = swept.is_missing and not is_queued
            if is_missing and (not has_time(scope) or (self._has_queue and state.is_full)):
                break
            state.after = reference.key
            if is_missing:
                fields = {"bucket": reference.bucket, "key": reference.key}
                yield DueRequest(new_job(), fields, swept_key=reference.key)
            else:
                counts["skipped"] += 1
        else:
            if not scope.deadline.has_passed():
                state.after = ""
        for each in sorted(later, key=lambda each: each.attempts):
            if not has_time(scope):
                return
            counts["resumed"] += 1
            yield each

    @property
    def _has_queue(self) -> bool:
        return bool(self._services.settings.queue_url)


def _reporting_backlog(objects: Iterator[SweptObject], scope: RequestScope) -> Iterator[SweptObject]:
    """The objects; the report has the age of the oldest one without a result, as far as the sweep has come."""
    now = datetime.now(UTC)
    oldest = now
    for swept in objects:
        if swept.is_missing and swept.uploaded_at is not None:
            oldest = min(oldest, swept.uploaded_at)
        scope.report.add(backlog_seconds=round((now - oldest).total_seconds()))
        yield swept
