"""Transcribes the objects of an upload event, one after the other, each with its own outcome."""

from collections import Counter
from dataclasses import replace

from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import counts_answer
from transcriber.dispatch.attempt import ObjectStatus
from transcriber.dispatch.objects import ObjectWork
from transcriber.errors import (
    Cause,
    IncompleteError,
    SourceNotFoundError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.jobs.layout import is_result
from transcriber.request.object_names import may_be_audio
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference, UploadEvent
from transcriber.request_log import RequestReport, error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.services import Services

# With a smaller share of the time limit left, no recording is begun: little of it would be done, and the next request
# for it begins with the whole time.
LEAST_TIME_LEFT = 0.25


class UploadWork:
    """Transcribes objects that triggers report."""

    def __init__(self, services: Services, objects: ObjectWork) -> None:
        self._services = services
        self._objects = objects

    def uploads(self, event: UploadEvent, scope: RequestScope) -> Answer:
        """Transcribe each uploaded recording; other files, and what this function wrote, are skipped."""
        counts = Counter(found=0, done=0, skipped=0, failed=0, left=0)
        failure: TranscriberError | None = None
        for reference in event.objects:
            if not may_be_audio(reference.key) or is_result(reference, self._services.settings):
                counts["skipped"] += 1
                continue
            counts["found"] += 1
            if counts["found"] > 1 and not has_time(scope):
                self._objects.go_on(reference, TranscriptionOptions(), scope)
                counts["left"] += 1
                failure = failure or self._left_over()
                continue
            failure = self.transcribe(reference, TranscriptionOptions(), counts, scope) or failure
        scope.report.add(**counts)
        if failure is not None:
            raise failure
        return counts_answer(counts)

    def transcribe(
        self, reference: ObjectReference, options: TranscriptionOptions, counts: Counter[str], scope: RequestScope
    ) -> TranscriberError | None:
        """Transcribe one object, count and log what became of it; the error if another attempt may cure it."""
        report = RequestReport(trigger="object", bucket=reference.bucket, key=reference.key)
        own = replace(scope, report=report)
        failure: TranscriberError | None = None
        try:
            result = self._objects.transcribe(reference, options, own, is_client=False)
            status = result.status
            if status is ObjectStatus.UNFINISHED and not self._objects.go_on(reference, options, scope):
                failure = result.error
        except SourceNotFoundError as error:
            status = ObjectStatus.SKIPPED  # removed since
            report.add(**error_log_fields(error))
        except TranscriberError as error:
            status = ObjectStatus.FAILED
            failure = error if error.is_retryable else None
            report.add(**error_log_fields(error))
        except Exception as error:  # noqa: BLE001 # this object's failure, which ends neither a sweep nor a message
            status = ObjectStatus.FAILED
            failure = UnexpectedError("The function failed at an object. Its log says more, with the object's key.")
            report.add(**error_log_fields(error))
        counts[status] += 1
        scope.log("warning" if status is ObjectStatus.FAILED else "info", "object", outcome=status, **report.log_fields)
        return failure

    def _left_over(self) -> TranscriberError | None:
        """The error that has the event delivered again; None where a queue brings the rest."""
        if self._services.settings.queue_url:
            return None
        return IncompleteError("The time ran out before each recording of the event was begun.")


def has_time(scope: RequestScope) -> bool:
    """Whether another recording may begin."""
    return scope.deadline.remaining_seconds() >= scope.deadline.limit_seconds * LEAST_TIME_LEFT


def ends_sweep(failure: TranscriberError | None) -> bool:
    """Whether every other recording would fail in the same way."""
    return failure is not None and failure.cause is Cause.ACCOUNT
