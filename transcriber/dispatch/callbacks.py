"""Carries out requests with a callback: queued first, answered once, and called back until the receiver has it.

A request ends in one result that is called back: the transcript, or the error when no retry can cure it or the job is
too old. A finished answer is kept until it is delivered, in the storage, or in a queued message where there is none and
it fits; a receiver's failure costs no transcription.
"""

import time
from dataclasses import replace
from typing import Final

from transcriber.cloud.queue_limits import MAX_MESSAGE_BYTES
from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import queued_answer
from transcriber.delivery.error_answers import error_answer
from transcriber.dispatch.requests import RequestWork
from transcriber.errors import CallbackFailedError, CallbackRefusedError, IncompleteError, TranscriberError
from transcriber.jobs.callbacks import DELIVERY_MINUTES, CallbackStore, OwedCallback
from transcriber.jobs.layout import results_bucket
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.request.base64_text import Base64Text
from transcriber.request.job_message import Job, KeptAnswer, new_job
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request_log import error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.services import Services

# Where nothing can be kept, a message comes again at once: attempts of such a job wait in the instance, in minutes.
INSTANCE_MINUTES: Final = (0.25, 0.5, 1.0)
# What is kept of the time for the message.
SENDING_SECONDS: Final = 5.0
# A job whose recording another request works on, or that failed in a way that waiting cures: the schedule's period.
LATER_MINUTES: Final = 5.0


class CallbackWork:
    """Carries out requests with a callback; `requests` answers them as if they had none."""

    def __init__(self, services: Services, requests: RequestWork) -> None:
        self._services = services
        self._requests = requests

    def accept(self, request: TranscriptionRequest, callback: str, scope: RequestScope) -> Answer:
        """Queue a client's request; where no queue takes it, carry it out now, answer it and call it back."""
        # A dry run takes seconds, and leaves nothing that a job could go on with.
        if not request.options.dry_run and (queued := self._queued(request, scope)):
            return queued
        answer = self._carry_out_now(request, scope)
        return self._deliver(request, callback, new_job(), answer, scope)

    def carry_out(self, request: TranscriptionRequest, callback: str, job: Job, scope: RequestScope) -> Answer:
        """Carry out a queued job, or deliver its answer where there is one."""
        owed = self._owed(request, job, scope)
        kept = job.answer if owed is None else owed.job.answer or job.answer
        if kept is not None:
            answer = Answer(200, kept.body, {"Content-Type": kept.content_type})
            return self._deliver(request, callback, job, answer, scope, owed=owed)
        try:
            answer = self._requests.answer(request, scope)
        except TranscriberError as error:
            scope.report.add(**error_log_fields(error))
            if error.is_retryable and (later := self._later(request, job, owed, error, scope)):
                return later
            answer = error_answer(error)
        return self._deliver(request, callback, job, answer, scope, owed=owed)

    def _carry_out_now(self, request: TranscriptionRequest, scope: RequestScope) -> Answer:
        try:
            return self._requests.answer(request, scope)
        except TranscriberError as error:
            scope.report.add(**error_log_fields(error))
            return error_answer(error)

    def _queued(self, request: TranscriptionRequest, scope: RequestScope) -> Answer | None:
        """Queue a request; None where there is no queue, or where the request is too long for a message."""
        if not self._services.settings.queue_url:
            return None
        if isinstance(request.source, Base64Text) and len(request.source.text) > MAX_MESSAGE_BYTES:
            return None
        job = new_job()
        if not self._services.fits_message(job, request.to_fields()):
            return None
        self._services.send_jobs([(job, request.to_fields())], scope.deadline)
        return queued_answer(job.id)

    def _deliver(
        self,
        request: TranscriptionRequest,
        callback: str,
        job: Job,
        answer: Answer,
        scope: RequestScope,
        *,
        owed: OwedCallback | None = None,
    ) -> Answer:
        """Call back; an answer that is not taken is kept for later. The answer for the sender of the request."""
        content_type = answer.headers.get("Content-Type", JSON_TYPE)
        webhooks = self._services.webhooks
        sent_answer = answer if request.job is None else replace(answer, status=200)
        try:
            webhooks.send(callback, answer.body, content_type, message_id=job.id, deadline=scope.deadline)
        except CallbackRefusedError as error:
            scope.log("error", "a callback was refused for good", job=job.id, **error_log_fields(error))
        except CallbackFailedError as error:
            scope.log("warning", "a callback was not delivered", job=job.id, **error_log_fields(error))
            kept = replace(job, answer=KeptAnswer(content_type, answer.body))
            if not self._keep_delivery(request, kept, owed, scope):
                # Not by an error: delivered again, the message would have the recording paid for again.
                scope.log("error", "a callback is given up", job=job.id, **error_log_fields(error))
            return sent_answer
        if owed is not None and (place := self._place(request, scope)):
            store, bucket = place
            store.remove(bucket, job.id)
        return sent_answer

    def _keep_delivery(
        self, request: TranscriptionRequest, job: Job, owed: OwedCallback | None, scope: RequestScope
    ) -> bool:
        """Keep a finished answer for another delivery; whether there will be one."""
        place = self._place(request, scope)
        if place is None:
            return self._again_by_message(request, job, scope)
        store, bucket = place
        failed = 0 if owed is None else owed.failed_deliveries
        if failed >= len(DELIVERY_MINUTES):
            store.remove(bucket, job.id)
            return False
        created_at = store.now() if owed is None else owed.created_at
        kept = OwedCallback(job, request.to_fields(), created_at, failed + 1)
        store.keep(bucket, kept, minutes=DELIVERY_MINUTES[failed])
        return True

    def _later(
        self,
        request: TranscriptionRequest,
        job: Job,
        owed: OwedCallback | None,
        error: TranscriberError,
        scope: RequestScope,
    ) -> Answer | None:
        """Have the job carried out later; None where that is not possible any more."""
        place = self._place(request, scope)
        if place is None:
            return queued_answer(job.id) if self._again_by_message(request, job, scope) else None
        store, bucket = place
        if owed is not None and store.is_expired(owed, self._services.settings.job_days):
            return None
        if isinstance(error, IncompleteError) and self._services.settings.queue_url:
            # Something was added, and the rest can go on at once.
            self._services.send_jobs([(job, request.to_fields())], scope.deadline)
            return queued_answer(job.id)
        created_at = store.now() if owed is None else owed.created_at
        wait_minutes = max(LATER_MINUTES, (error.retry_after_seconds or 0.0) / self._services.settings.minute_seconds)
        store.keep(bucket, OwedCallback(job, request.to_fields(), created_at), minutes=wait_minutes)
        return queued_answer(job.id)

    def _again_by_message(self, request: TranscriptionRequest, job: Job, scope: RequestScope) -> bool:
        """Queue the next attempt at a job, after a wait in the instance; whether there is one, and its message fits."""
        fields = request.to_fields()
        if job.attempt > len(INSTANCE_MINUTES) or not self._services.settings.queue_url:
            return False
        if not self._services.fits_message(job, fields):
            return False
        wait_seconds = INSTANCE_MINUTES[job.attempt - 1] * self._services.settings.minute_seconds
        time.sleep(max(0.0, min(wait_seconds, scope.deadline.remaining_seconds() - SENDING_SECONDS)))
        self._services.send_jobs([(replace(job, attempt=job.attempt + 1), fields)], scope.deadline)
        return True

    def _owed(self, request: TranscriptionRequest, job: Job, scope: RequestScope) -> OwedCallback | None:
        """What is kept of the job; a first attempt has nothing."""
        if job.attempt == 1 or not (place := self._place(request, scope)):
            return None
        store, bucket = place
        return store.get(bucket, job.id)

    def _place(self, request: TranscriptionRequest, scope: RequestScope) -> tuple[CallbackStore, str] | None:
        """Where callbacks of the request are kept; None without a storage, or a bucket for its results."""
        settings = self._services.settings
        if settings.storage is None:
            return None
        bucket = results_bucket(request.source.bucket if isinstance(request.source, ObjectReference) else "", settings)
        return (self._services.stores(scope.deadline).callbacks, bucket) if bucket else None
