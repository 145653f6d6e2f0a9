"""Carries out jobs: accepts them, works on them as far as the time goes, and has them finished later.

A job is a record beside an ordinary object's work. What it waits for is never in an instance: as long as it is not
finished, `owed/` has an entry that a sweep goes on with when it is due, whatever became of its message.
"""

import json
from typing import Final

from transcriber.delivery.answer import Answer, json_answer
from transcriber.delivery.error_answers import error_answer
from transcriber.dispatch.attempt import ObjectResult, ObjectStatus
from transcriber.dispatch.job_callbacks import JobCallbacks
from transcriber.dispatch.job_copies import CopyWork
from transcriber.dispatch.objects import ObjectWork
from transcriber.errors import (
    IncompleteError,
    JobNotFoundError,
    RequestError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.jobs.callbacks import OwedCallback
from transcriber.jobs.due import QUEUED_MINUTES
from transcriber.jobs.job_document import COMPLETED_PERCENT, accepted_fields
from transcriber.jobs.job_progress import JobProgress
from transcriber.jobs.layout import kept_bucket, options_digest
from transcriber.jobs.records import JobFailure, JobRecord, JobStatus, new_job_id
from transcriber.jobs.removal import remove_job
from transcriber.jobs.stores import Stores
from transcriber.outputs.document import to_document
from transcriber.request.base64_text import Base64Text
from transcriber.request.job_message import Job, new_job
from transcriber.request.parse import read_own_request
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import TranscriptionRequest, UrlReference
from transcriber.request_log import error_log_fields, without_secret_ids
from transcriber.request_scope import RequestScope
from transcriber.services import Services
from transcriber.sources.url_check import check_url
from transcriber.transcription.transcript import Transcript

# When a job whose recording another request works on, or that waits for something else, is looked at again: the
# schedule's period.
LATER_MINUTES: Final = 5.0
NO_SCHEDULE: Final = (
    "Neither a queue nor a schedule goes on with the job: set QUEUE_URL, have a schedule sweep, or send it again."
)


class JobWork:
    """Carries out jobs with the services of an instance."""

    def __init__(self, services: Services, objects: ObjectWork) -> None:
        self._services = services
        self._objects = objects
        self._copies = CopyWork(services)
        self._callbacks = JobCallbacks(services)

    def accept(self, request: TranscriptionRequest, scope: RequestScope, job_id: str | None = None) -> Answer:
        """Keep a job and queue it; without a queue, carry it out as far as the time goes."""
        kept_bucket(self._services.settings, what="Jobs", param="async")
        stores = self._services.stores(scope.deadline)
        record = self._create(request, job_id or new_job_id(), stores, scope)
        scope.report.add(job=record.id)
        if self._services.settings.queue_url:
            self._queue_new(record, stores, scope)
        else:
            record = self._work(record, stores, scope)
        return accepted_answer(record, request)

    def carry_out(self, job: Job, scope: RequestScope) -> JobRecord:
        """Go on with a job that was queued, or is due; `JobNotFoundError` where it was deleted, or is too old."""
        kept_bucket(self._services.settings, what="Jobs", param="job")
        stores = self._services.stores(scope.deadline)
        scope.report.add(job=job.id)
        try:
            record = stores.jobs.get(job.id)
        except JobNotFoundError:
            self._remove_rest(job, stores, scope)
            raise
        if record.status.is_final:
            self._callbacks.deliver_again(record, stores, scope)
            return record
        return self._work(record, stores, scope)

    def _create(self, request: TranscriptionRequest, job_id: str, stores: Stores, scope: RequestScope) -> JobRecord:
        """Write down a new job, and that it is owed; an inline recording becomes an object first."""
        etag, fields = "", request.to_fields
        if isinstance(request.source, UrlReference):
            check_url(request.source.url)  # now, rather than by a failed job
        if isinstance(request.source, Base64Text):
            etag = stores.jobs.put_recording(job_id, self._inline_bytes(request.source, scope))
            place = stores.jobs.recording(job_id)
            fields = TranscriptionRequest(place, request.options, request.callback).to_fields
        record = JobRecord(
            job_id,
            fields(),
            stores.jobs.now(),
            webhook_id=new_job().id,
            audio_etag=etag,
            options=options_digest(request.options),
        )
        stores.callbacks.keep(stores.jobs.bucket, _owed(record), minutes=QUEUED_MINUTES)
        return stores.jobs.create(record)

    def _inline_bytes(self, source: Base64Text, scope: RequestScope) -> bytes:
        """A recording that is in the request, which the platform bounds; `AudioTooLargeError` over MAX_AUDIO_MB."""
        with self._services.open_source(source, scope.deadline) as opened, opened.open() as reader:
            return reader.read_fully(source.size_bytes)

    def _queue_new(self, record: JobRecord, stores: Stores, scope: RequestScope) -> None:
        try:
            self._queue(record, scope)
        except TranscriberError:
            # The client has no id, and will send its request again.
            remove_job(record, stores, scope.log)
            stores.callbacks.remove(stores.jobs.bucket, record.id)
            stores.jobs.forget(record.id)
            raise

    def _queue(self, record: JobRecord, scope: RequestScope) -> None:
        self._services.send_jobs([(Job(record.id), record.request)], scope.deadline)

    def _work(self, record: JobRecord, stores: Stores, scope: RequestScope) -> JobRecord:
        """Work on the job, and write down what came of it."""
        try:
            return self._attempt(JobProgress(stores.jobs, record, scope.log), stores, scope)
        except JobNotFoundError:
            self._remove_rest(Job(record.id), stores, scope)
            raise

    def _attempt(self, progress: JobProgress, stores: Stores, scope: RequestScope) -> JobRecord:
        try:
            return self._carried_out(progress, stores, scope)
        except JobNotFoundError:
            raise
        except TranscriberError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 # of this job alone: an entry in `owed/` brings it back
            scope.log("error", "a job met a fault", job=progress.record.id, **error_log_fields(error))
            failure = UnexpectedError("The function failed at the job. Its log says more, with a hash of the job's id.")
        if not failure.is_retryable:
            return self._fail(failure, progress, stores, scope)
        is_at_once = isinstance(failure, IncompleteError)  # something was added
        return self._later(failure, progress, stores, scope, is_at_once=is_at_once)

    def _carried_out(self, progress: JobProgress, stores: Stores, scope: RequestScope) -> JobRecord:
        progress.update(status=JobStatus.IN_PROGRESS, warnings=())
        request = read_own_request(Job(progress.record.id), progress.record.request)
        source = request.source
        if isinstance(source, UrlReference):
            source = self._copies.recording(source, progress, stores, scope)
        if not isinstance(source, ObjectReference):
            raise RequestError("The job has no recording.")
        result = self._objects.transcribe(source, request.options, scope, is_client=False, progress=progress)
        scope.report.add(outcome=result.status)
        return self._noted(result, progress, stores, scope)

    def _noted(self, result: ObjectResult, progress: JobProgress, stores: Stores, scope: RequestScope) -> JobRecord:
        """Write down what became of the recording."""
        match result.result:
            case Transcript() as transcript:
                stores.jobs.keep_transcript(progress.record.id, to_document(transcript))
                record = progress.update(
                    status=JobStatus.COMPLETED,
                    progress=COMPLETED_PERCENT,
                    completed_at=stores.jobs.now(),
                    warnings=transcript.warnings,
                )
            case Answer() as recorded:
                record = progress.update(status=JobStatus.FAILED, failure=_failure(recorded))
            case None:
                error = result.error or UnexpectedError("The recording has no result.")
                is_at_once = result.status is ObjectStatus.UNFINISHED
                return self._later(error, progress, stores, scope, is_at_once=is_at_once)
        self._callbacks.finish(record, stores, scope)
        return record

    def _later(
        self,
        error: TranscriberError,
        progress: JobProgress,
        stores: Stores,
        scope: RequestScope,
        *,
        is_at_once: bool = False,
    ) -> JobRecord:
        """Have the job carried on later: by a message, by a sweep that finds it due, or by the queue's repetition."""
        settings = self._services.settings
        scope.report.add(**error_log_fields(error))
        if settings.queue_url and is_at_once:
            self._queue(progress.record, scope)
            return progress.record
        progress.update(warnings=(f"The work goes on later: {without_secret_ids(error.message)}",))
        if stores.sweep_mark.is_recent():
            minutes = (
                0.0 if is_at_once else max(LATER_MINUTES, (error.retry_after_seconds or 0.0) / settings.minute_seconds)
            )
            stores.callbacks.keep(stores.jobs.bucket, _owed(progress.record), minutes=minutes)
            return progress.record
        if settings.queue_url:
            raise error
        error.add(NO_SCHEDULE)
        return self._fail(error, progress, stores, scope)

    def _fail(self, error: TranscriberError, progress: JobProgress, stores: Stores, scope: RequestScope) -> JobRecord:
        scope.report.add(outcome=ObjectStatus.FAILED, **error_log_fields(error))
        record = progress.update(status=JobStatus.FAILED, failure=_failure(error_answer(error)))
        self._callbacks.finish(record, stores, scope)
        return record

    def _remove_rest(self, job: Job, stores: Stores, scope: RequestScope) -> None:
        """Remove what a worker has added to a job that was deleted meanwhile, or that is too old."""
        bucket = stores.jobs.bucket
        try:
            record = stores.jobs.get_or_tombstone(job.id)
        except JobNotFoundError:
            stores.callbacks.remove(bucket, job.id)
            return
        remove_job(record, stores, scope.log)
        if not record.is_deleted:
            stores.jobs.forget(job.id)
        if job.attempt > 1 or not record.is_deleted:
            # By a sweep, when no worker can be at it any more; until then, the entry stays.
            stores.callbacks.remove(bucket, job.id)


def _failure(answer: Answer) -> JobFailure:
    """The failure as it is kept: a callback's receiver has no business with the id, which may be in a key."""
    error = json.loads(answer.body)["error"]
    return JobFailure(answer.status, {**error, "message": without_secret_ids(error["message"])})


def accepted_answer(record: JobRecord, request: TranscriptionRequest) -> Answer:
    """The answer to a request whose job this is."""
    return json_answer(202, accepted_fields(record), {"Location": f"{request.jobs_path}/{record.id}"})


def _owed(record: JobRecord) -> OwedCallback:
    return OwedCallback(Job(record.id), record.request, record.created_at)
