"""Has each kind of event done: a request, a queued job, uploads, a sweep; makes no transcript itself.

What a trigger is answered decides whether it delivers again: a failure that may be cured is a status of 500 and more,
everything else 200, what cannot be cured being on record or called back. A client is answered what happened.

With a callback, a request ends in one result that is called back: the transcript, or the error, when it cannot be cured
or was the last attempt's. A message does not say how often it has come, so that its last delivery cannot be told; a job
with a callback therefore counts its attempts itself, and is queued anew for the next one.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from transcriber.deadline import Deadline
from transcriber.delivery.answers import (
    JSON_TYPE,
    Answer,
    counts_answer,
    error_answer,
    error_log_fields,
    in_progress_answer,
    queued_answer,
    transcript_answer,
)
from transcriber.errors import SourceFailedError, SourceNotFoundError, TranscriberError
from transcriber.jobs.results import ObjectResult, ObjectStatus, is_result
from transcriber.request.base64_text import Base64Text
from transcriber.request.options import ResponseFormat, TranscriptionOptions
from transcriber.request.parse import Job, TranscriptionRequest
from transcriber.request.s3_events import ObjectReference, UploadEvent, may_be_audio
from transcriber.request.sweep_request import SweepRequest
from transcriber.request_log import RequestReport
from transcriber.services import Services
from transcriber.sources.base import Source
from transcriber.sources.opening import open_source
from transcriber.transcription.transcript import Transcript

Transcribe = Callable[[Source, TranscriptionOptions, RequestReport, Deadline], Transcript]

# The queue takes 256 KiB a message (`transcriber.cloud.queue`); a longer request is done at once.
MAX_QUEUED_BYTES = 256 * 1024
# What a sweep queues at a time: a batch of the queue's. Between two, it ends when its time does.
QUEUED_AT_ONCE = 10
# How long a job with a callback waits for its next attempt after a failure that may be cured: a busy minute, the lease
# of one who was killed (with the default TIME_LIMIT), and the longest that a queue holds a message back.
JOB_DELAYS_SECONDS: Final = (60, 330, 900)
# No recording is begun with less of the time limit left than this: it would be cut off, and paid for in vain. Nor does
# a sweep go on: the next one finds the rest, while one that is out of time would tell of a failure of the queue.
LEAST_TIME_LEFT: Final = 0.25


class Dispatcher:
    """Does what an event asks for, with what an instance keeps; `transcribe` makes the transcript of a source."""

    def __init__(self, instance: Services, transcribe: Transcribe) -> None:
        self._instance = instance
        self._transcribe = transcribe

    def request(self, request: TranscriptionRequest, report: RequestReport, deadline: Deadline) -> Answer:
        """The answer to a request; with a callback it is called back, and queued before where there is a queue."""
        if request.job is not None:
            report.learn(trigger="queue")
        if request.callback is None:
            answer = self._job if request.job else self._now
            return answer(request, report, deadline) or in_progress_answer()
        self._instance.callbacks.check(request.callback)
        if request.job is None and (queued := self._queue(request, deadline)):
            return queued
        return self._with_callback(request, request.callback, report, deadline)

    def uploads(self, uploads: UploadEvent, report: RequestReport, deadline: Deadline) -> Answer:
        """Each uploaded recording gets its transcript; what is none, and what this function wrote, is left alone."""
        report.learn(trigger="upload")
        counts = Counter(found=0, done=0, skipped=0, failed=0)
        curable: TranscriberError | None = None
        for reference in uploads.objects:
            if not may_be_audio(reference.key) or is_result(reference, self._instance.settings):
                counts["skipped"] += 1
                continue
            counts["found"] += 1
            curable = self._count(reference, counts, deadline) or curable
        report.learn(**counts)
        if curable:
            raise curable
        return counts_answer(counts)

    def sweep(self, request: SweepRequest, report: RequestReport, deadline: Deadline) -> Answer:
        """The recordings without a transcript are queued, or get theirs here, as many as the time allows."""
        report.learn(trigger="cron")
        sweep = self._instance.sweep(request)
        counts = Counter(queued=0, done=0, failed=0)
        missing = self._while_time_is_left(islice(sweep.missing(deadline), request.limit), deadline)
        if self._instance.settings.queue_url:
            while batch := list(islice(missing, QUEUED_AT_ONCE)):
                self._instance.queue.send(
                    [_message_of(_new_job(), _of(reference)) for reference in batch], deadline=deadline
                )
                counts["queued"] += len(batch)
        else:
            for reference in missing:
                self._count(reference, counts, deadline)
        counts.update(found=sweep.found, skipped=sweep.skipped)
        report.learn(**counts)
        return counts_answer({name: counts[name] for name in ("found", "queued", "done", "skipped", "failed")})

    def _now(self, request: TranscriptionRequest, report: RequestReport, deadline: Deadline) -> Answer | None:
        """The answer to a request; None while somebody else is at work on it."""
        if isinstance(request.source, ObjectReference):
            report.learn(bucket=request.source.bucket, key=request.source.key)
            stored = self._stored(request.source, request.options, report, deadline)
            report.learn(outcome=stored.outcome)
            return stored.answer
        with open_source(
            request.source,
            downloads=lambda: self._instance.downloads,
            settings=self._instance.settings,
            deadline=deadline,
        ) as source:
            transcript = self._transcribe(source, request.options, report, deadline)
        return transcript_answer(transcript, request.options.response_format, request.chat)

    def _job(self, request: TranscriptionRequest, report: RequestReport, deadline: Deadline) -> Answer | None:
        """A job without a callback, whose outcome is in the storage."""
        try:
            answer = self._now(request, report, deadline)
        except TranscriberError as error:
            report.learn(**error_log_fields(error))
            return error_answer(error, to_trigger=True)
        return answer and replace(answer, status=200)  # whatever it is, it is on record

    def _queue(self, request: TranscriptionRequest, deadline: Deadline) -> Answer | None:
        """Queue a request; None where there is no queue, or where the request is too long for it."""
        if not self._instance.settings.queue_url:
            return None
        if isinstance(request.source, Base64Text) and len(request.source.text) > MAX_QUEUED_BYTES:
            return None
        job = _new_job()
        message = _message_of(job, request.fields)
        if len(message.encode()) > MAX_QUEUED_BYTES:
            return None
        self._instance.queue.send([message], deadline=deadline)
        return queued_answer(job.id)

    def _with_callback(
        self, request: TranscriptionRequest, callback: str, report: RequestReport, deadline: Deadline
    ) -> Answer:
        try:
            answer = self._now(request, report, deadline)
            if answer is None:
                raise SourceFailedError("The recording is being transcribed for somebody else.", param="key")
        except TranscriberError as error:
            report.learn(**error_log_fields(error))
            if error.is_retryable and request.job and request.job.attempt <= len(JOB_DELAYS_SECONDS):
                return self._try_later(request, request.job, deadline)
            answer = error_answer(error)
        job = request.job or _new_job()
        content_type = answer.headers.get("Content-Type", JSON_TYPE)
        self._instance.callbacks.send(callback, answer.body, content_type, message_id=job.id, deadline=deadline)
        return replace(answer, status=200) if request.job else answer

    def _try_later(self, request: TranscriptionRequest, job: Job, deadline: Deadline) -> Answer:
        """Queue the next attempt at a job; where the queue does not take it, the message at hand comes again."""
        message = _message_of(replace(job, attempt=job.attempt + 1), request.fields)
        self._instance.queue.send([message], deadline=deadline, delay_seconds=JOB_DELAYS_SECONDS[job.attempt - 1])
        return queued_answer(job.id)

    def _count(self, reference: ObjectReference, counts: Counter[str], deadline: Deadline) -> TranscriberError | None:
        """Have one object done, count and log what became of it; the error where another time may cure it."""
        report = RequestReport(trigger="object")
        report.learn(bucket=reference.bucket, key=reference.key)
        curable: TranscriberError | None = None
        try:
            outcome = self._stored(reference, TranscriptionOptions(), report, deadline).outcome
        except SourceNotFoundError as error:
            outcome = ObjectStatus.SKIPPED  # removed since
            report.learn(**error_log_fields(error))
        except TranscriberError as error:
            outcome = ObjectStatus.FAILED
            curable = error if error.is_retryable else None
            report.learn(**error_log_fields(error))
        counts[outcome] += 1
        self._instance.log(
            "warning" if outcome is ObjectStatus.FAILED else "info", "object", outcome=outcome, **report.log_fields
        )
        return curable

    def _stored(
        self, reference: ObjectReference, options: TranscriptionOptions, report: RequestReport, deadline: Deadline
    ) -> ObjectResult:
        return self._instance.stored.answer(
            reference,
            options,
            # What is stored has the times, whatever is answered now.
            lambda source, options: self._transcribe(
                source, replace(options, response_format=ResponseFormat.VERBOSE_JSON), report, deadline
            ),
            lambda audio: self._instance.object_source(reference, audio, deadline),
        )

    @staticmethod
    def _while_time_is_left(references: Iterable[ObjectReference], deadline: Deadline) -> Iterator[ObjectReference]:
        for reference in references:
            if deadline.remaining_seconds() < deadline.limit_seconds * LEAST_TIME_LEFT:
                return
            yield reference


def _of(reference: ObjectReference) -> dict[str, Any]:
    return {"bucket": reference.bucket, "key": reference.key}


def _new_job() -> Job:
    return Job(f"msg_{uuid.uuid4().hex}")


def _message_of(job: Job, request: Mapping[str, Any]) -> str:
    """The message that has `request` done; its shape tells it from a client's request, which would be queued again."""
    return json.dumps({"job": {"id": job.id, "attempt": job.attempt, "request": dict(request)}})
