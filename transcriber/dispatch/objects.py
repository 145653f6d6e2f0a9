"""Transcribes an object, now or before: looks for its result, claims it, and makes an attempt at it."""

from dataclasses import replace
from typing import Any, Final

from transcriber.dispatch.attempt import Attempt, ObjectResult, ObjectStatus
from transcriber.errors import InProgressError, RateLimitedError, TranscriberError
from transcriber.jobs.due import JOB_FIELD
from transcriber.jobs.job_progress import JobProgress
from transcriber.jobs.layout import Version
from transcriber.jobs.leases import InProgress, Waiting
from transcriber.jobs.partials import Partials
from transcriber.jobs.results import Completed, ResultStore
from transcriber.request.job_message import new_job
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.request_log import error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.services import Services

# When a client that waits for a recording of another request may come again.
MAX_RETRY_AFTER_SECONDS: Final = 30.0


class ObjectWork:
    """Transcribes objects with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def transcribe(
        self,
        reference: ObjectReference,
        options: TranscriptionOptions,
        scope: RequestScope,
        *,
        is_client: bool,
        progress: JobProgress | None = None,
    ) -> ObjectResult:
        """The result of an object, transcribed now or before; an error that another attempt may cure.

        A client waits for the answer: it looks for a result first, and does not wait for what only triggers wait for.
        With the `progress` of a job, each part is reported there.
        """
        stores = self._services.stores(scope.deadline)
        results = stores.results
        audio = results.find_audio(reference)
        version = Version.of(audio.etag, options)
        parts = stores.parts(reference, version, scope.log, progress)
        partials = stores.partials(reference, parts=parts, etag=audio.etag, options=options, log=scope.log)
        if is_client and (completed := results.completed(reference, version, options)):
            return _result_of(completed, results, partials, options)
        fields = _request(reference, options)
        claimed = results.claim(
            reference,
            audio,
            options,
            fields if progress is None else {**fields, JOB_FIELD: progress.record.id},
            count_parts=parts.count,
            ignores_waits=is_client,
        )
        match claimed:
            case Completed():
                return _result_of(claimed, results, partials, options)
            case InProgress(seconds):
                return ObjectResult(ObjectStatus.SKIPPED, error=_in_progress(seconds))
            case Waiting(seconds, reason):
                return ObjectResult(ObjectStatus.SKIPPED, error=_waiting(seconds, reason))
        try:
            return Attempt(self._services, stores, claimed, scope, parts=parts, partials=partials).result(options)
        except RateLimitedError as error:
            if is_client:
                raise
            # A quota is no failure: a message that is delivered again is dropped after a few times.
            scope.report.add(**error_log_fields(error))
            return ObjectResult(ObjectStatus.UNFINISHED, error=error)

    def go_on(self, reference: ObjectReference, options: TranscriptionOptions, scope: RequestScope) -> bool:
        """Queue the rest of the work on an object; false without a queue, where the next sweep goes on."""
        if not self._services.settings.queue_url:
            return False
        try:
            self._services.send_jobs([(new_job(), _request(reference, options))], scope.deadline)
        except TranscriberError as failure:
            # A sweep finds it missing, and without a lease.
            scope.log("warning", "the rest of a recording could not be queued", **error_log_fields(failure))
            return False
        return True


def _result_of(
    completed: Completed, results: ResultStore, partials: Partials, options: TranscriptionOptions
) -> ObjectResult:
    """The stored transcript; of a recorded failure, what there is, if the request allows gaps."""
    partial = partials.find() if completed.is_failure and options.allow_partial else None
    return ObjectResult(ObjectStatus.SKIPPED, partial or results.read(completed))


def _request(reference: ObjectReference, options: TranscriptionOptions) -> dict[str, Any]:
    """The fields of a request for the same words, whatever the format of an answer."""
    words = replace(options, response_format=ResponseFormat.JSON, timestamp_granularities=())
    return {"bucket": reference.bucket, "key": reference.key, **words.to_fields()}


def _in_progress(seconds: float) -> InProgressError:
    return InProgressError(
        "Another request is transcribing this version of the recording; its transcript will be stored. Try again then.",
        retry_after_seconds=max(1.0, min(seconds, MAX_RETRY_AFTER_SECONDS)),
    )


def _waiting(seconds: float, reason: str) -> InProgressError:
    return InProgressError(f"The work on the recording goes on later: {reason}", retry_after_seconds=max(1.0, seconds))
