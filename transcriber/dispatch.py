"""Carries out each kind of request: a client's, a queued job, uploads, a sweep.

The answer to a trigger decides whether it delivers again: 500 and more for a failure that a retry may cure, and 200 for
everything else, since other failures are recorded or called back. A client is answered what happened.

With a callback, a request ends in one result that is called back: the transcript, or the error when no retry can cure
it or this was the last attempt. A message does not say how often it was delivered, so that its last delivery is not
known; a job with a callback therefore counts its attempts itself, and is queued anew for the next one.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final

from transcriber.cloud.queue_limits import MAX_BATCH, MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES
from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import counts_answer, in_progress_answer, queued_answer, transcript_answer
from transcriber.delivery.error_answers import error_answer
from transcriber.errors import SourceFailedError, SourceNotFoundError, TranscriberError
from transcriber.jobs.leases import Completed, InProgress
from transcriber.jobs.results import is_result
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.request.base64_text import Base64Text
from transcriber.request.job_message import Job, new_job, write_job
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference, UploadEvent, may_be_audio
from transcriber.request.sweep_request import SweepRequest
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request_log import RequestReport, error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.services import Services
from transcriber.transcription.transcript import Transcript

# The delay of a job with a callback before its next attempt, after a failure that a retry may cure: a busy minute, the
# lease of a killed instance (with the default TIME_LIMIT), and the longest delay of a queue.
JOB_DELAYS_SECONDS: Final = (60, 330, MAX_DELAY_SECONDS)
# With a smaller share of the time limit left, no recording is begun: it would be cut off, and paid for in vain. Nor
# does a sweep go on: the next one finds the rest, while a sweep out of time would report a failure of the queue.
LEAST_TIME_LEFT: Final = 0.25


class ObjectStatus(StrEnum):
    """What became of an object."""

    DONE = "done"  # transcribed now
    SKIPPED = "skipped"  # transcribed before, or by another instance just now
    FAILED = "failed"  # and recorded


@dataclass(frozen=True)
class ObjectResult:
    """What became of an object: its transcript or its recorded failure; neither while another instance works on it."""

    status: ObjectStatus
    result: Transcript | Answer | None = None

    def answer(self, response_format: ResponseFormat) -> Answer | None:
        """The answer to a request for the object; None while another instance works on it."""
        if isinstance(self.result, Transcript):
            return transcript_answer(self.result, response_format)
        return self.result


class Dispatcher:
    """Carries out requests with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def transcription(self, request: TranscriptionRequest, scope: RequestScope) -> Answer:
        """The answer to a request; with a callback, it is called back, and queued first where there is a queue."""
        if request.callback is not None:
            self._services.webhooks.check(request.callback)
            if request.job is None and (queued := self._queued(request, scope)):
                return queued
            return self._with_callback(request, request.callback, scope)
        answer = self._answer(request, scope)
        if answer is None:
            return in_progress_answer()
        # The result of a job without a callback is in the storage, whatever it is.
        return answer if request.job is None else replace(answer, status=200)

    def uploads(self, event: UploadEvent, scope: RequestScope) -> Answer:
        """Transcribe each uploaded recording; other files, and what this function wrote, are skipped."""
        counts = Counter(found=0, done=0, skipped=0, failed=0)
        failure: TranscriberError | None = None
        for reference in event.objects:
            if not may_be_audio(reference.key) or is_result(reference, self._services.settings):
                counts["skipped"] += 1
                continue
            counts["found"] += 1
            failure = self._transcribe_and_count(reference, counts, scope) or failure
        scope.report.add(**counts)
        if failure is not None:
            raise failure
        return counts_answer(counts)

    def sweep(self, request: SweepRequest, scope: RequestScope) -> Answer:
        """Queue the recordings without a transcript, or transcribe as many as the time allows."""
        counts = Counter(found=0, queued=0, done=0, skipped=0, failed=0)
        missing = islice(self._missing(request, counts, scope), request.limit)
        if self._services.settings.queue_url:
            while batch := list(islice(missing, MAX_BATCH)):
                messages = [write_job(new_job(), {"bucket": each.bucket, "key": each.key}) for each in batch]
                self._services.queue.send(messages, deadline=scope.deadline)
                counts["queued"] += len(batch)
        else:
            for reference in missing:
                self._transcribe_and_count(reference, counts, scope)
        scope.report.add(**counts)
        return counts_answer(counts)

    def _answer(self, request: TranscriptionRequest, scope: RequestScope) -> Answer | None:
        """The answer to a request, carried out now; None while another instance works on the same recording."""
        if isinstance(request.source, ObjectReference):
            scope.report.add(bucket=request.source.bucket, key=request.source.key)
            result = self._object(request.source, request.options, scope)
            scope.report.add(outcome=result.status)
            return result.answer(request.options.response_format)
        with self._services.open_source(request.source, scope.deadline) as source:
            transcript = self._services.transcriber.transcribe(source, request.options, scope)
        return transcript_answer(transcript, request.options.response_format, request.chat)

    def _object(self, reference: ObjectReference, options: TranscriptionOptions, scope: RequestScope) -> ObjectResult:
        """The result of an object, transcribed now or before; an error that a retry may cure."""
        results = self._services.results
        claimed = results.claim(reference, options)
        if isinstance(claimed, InProgress):
            return ObjectResult(ObjectStatus.SKIPPED)
        if isinstance(claimed, Completed):
            return ObjectResult(ObjectStatus.SKIPPED, results.read(claimed))
        # Stored results have times, whatever the format of this answer.
        timed = replace(options, response_format=ResponseFormat.VERBOSE_JSON)
        with results.releasing(claimed):
            try:
                with self._services.open_object(claimed, scope.deadline) as source:
                    transcript = self._services.transcriber.transcribe(source, timed, scope)
            except TranscriberError as error:
                # No failure is recorded of a recording that was removed meanwhile.
                if error.is_retryable or isinstance(error, SourceNotFoundError):
                    raise
                scope.report.add(**error_log_fields(error))
                return ObjectResult(ObjectStatus.FAILED, results.store_failure(claimed, error))
            if not results.store(claimed, transcript):
                return ObjectResult(ObjectStatus.SKIPPED)  # a newer version is being transcribed
        return ObjectResult(ObjectStatus.DONE, transcript)

    def _queued(self, request: TranscriptionRequest, scope: RequestScope) -> Answer | None:
        """Queue a request; None where there is no queue, or where the request is too long for a message."""
        if not self._services.settings.queue_url:
            return None
        if isinstance(request.source, Base64Text) and len(request.source.text) > MAX_MESSAGE_BYTES:
            return None
        job = new_job()
        message = write_job(job, request.to_fields())
        if len(message.encode()) > MAX_MESSAGE_BYTES:
            return None
        self._services.queue.send([message], deadline=scope.deadline)
        return queued_answer(job.id)

    def _with_callback(self, request: TranscriptionRequest, callback: str, scope: RequestScope) -> Answer:
        try:
            answer = self._answer(request, scope)
            if answer is None:
                raise SourceFailedError("Another request is transcribing the recording.", param="key")
        except TranscriberError as error:
            scope.report.add(**error_log_fields(error))
            if error.is_retryable and request.job and request.job.attempt <= len(JOB_DELAYS_SECONDS):
                return self._next_attempt(request, request.job, scope)
            answer = error_answer(error)
        job = request.job or new_job()
        content_type = answer.headers.get("Content-Type", JSON_TYPE)
        self._services.webhooks.send(callback, answer.body, content_type, message_id=job.id, deadline=scope.deadline)
        return answer if request.job is None else replace(answer, status=200)

    def _next_attempt(self, request: TranscriptionRequest, job: Job, scope: RequestScope) -> Answer:
        """Queue the next attempt at a job; where the queue refuses it, the current message is delivered again."""
        message = write_job(replace(job, attempt=job.attempt + 1), request.to_fields())
        delay_seconds = JOB_DELAYS_SECONDS[job.attempt - 1]
        self._services.queue.send([message], deadline=scope.deadline, delay_seconds=delay_seconds)
        return queued_answer(job.id)

    def _transcribe_and_count(
        self, reference: ObjectReference, counts: Counter[str], scope: RequestScope
    ) -> TranscriberError | None:
        """Transcribe one object, count and log what became of it; the error if a retry may cure it."""
        report = RequestReport(trigger="object", bucket=reference.bucket, key=reference.key)
        failure: TranscriberError | None = None
        try:
            status = self._object(reference, TranscriptionOptions(), replace(scope, report=report)).status
        except SourceNotFoundError as error:
            status = ObjectStatus.SKIPPED  # removed since
            report.add(**error_log_fields(error))
        except TranscriberError as error:
            status = ObjectStatus.FAILED
            failure = error if error.is_retryable else None
            report.add(**error_log_fields(error))
        counts[status] += 1
        scope.log("warning" if status is ObjectStatus.FAILED else "info", "object", outcome=status, **report.log_fields)
        return failure

    def _missing(self, request: SweepRequest, counts: Counter[str], scope: RequestScope) -> Iterator[ObjectReference]:
        """The recordings without a transcript, as long as there is time; all that were seen are counted."""
        deadline = scope.deadline
        for swept in self._services.sweep(request).objects(deadline):
            counts["found"] += 1
            if not swept.is_missing:
                counts["skipped"] += 1
            elif deadline.remaining_seconds() < deadline.limit_seconds * LEAST_TIME_LEFT:
                return
            else:
                yield swept.reference
