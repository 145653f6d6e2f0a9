"""Transcribes an object, in as many runs as it takes: claims it, goes on from its parts, and stores what came of it.

What follows from an end that is not a transcript is decided here, by the error's cause:

* about the recording, and for good: the failure is recorded, with the minutes that are missing.
* about the recording, and perhaps not for good: the lease waits, longer each time, and counts the attempt unless it
  added a part. After `MAX_ATTEMPTS` the failure is recorded.
* time ran out, and a part was added: the lease is given up, and the request is queued again.
* about the account, or passing: the lease waits, from the second time on, and the attempt does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import transcript_answer
from transcriber.errors import (
    BudgetExhaustedError,
    Cause,
    IncompleteError,
    InProgressError,
    NeverSucceededError,
    RateLimitedError,
    SourceChangedError,
    SourceNotFoundError,
    TimeLimitError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.jobs.layout import Version
from transcriber.jobs.leases import MAX_ATTEMPTS, InProgress, Waiting, wait_minutes_after
from transcriber.jobs.parts import Parts
from transcriber.jobs.results import ClaimedObject, Completed
from transcriber.request.job_message import new_job
from transcriber.request.openai_api import ChatReply
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.request_log import error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.services import Services
from transcriber.spans import Span, clock_time
from transcriber.transcription.resuming import UnfinishedError
from transcriber.transcription.transcript import Transcript

# What a run keeps of its time for its end: to write the last parts, to give the lease up, and to queue the request.
END_SECONDS: Final = 5.0
END_SHARE: Final = 0.1
# The waits after something that is not about the recording: a server that is down, and an account that somebody has to
# look at. Schedules come every five minutes.
PASSING_MINUTES: Final = 5.0
ACCOUNT_MINUTES: Final = 15.0
# When a client that waits for a recording of another request may come again.
MAX_RETRY_AFTER_SECONDS: Final = 30.0
# More minutes than these make a message long, and name a recording that has to be looked at as a whole.
MAX_SPANS_NAMED: Final = 10


class ObjectStatus(StrEnum):
    """What became of an object."""

    DONE = "done"  # transcribed now
    SKIPPED = "skipped"  # transcribed before, or by another instance just now, or waiting
    FAILED = "failed"  # and recorded
    UNFINISHED = "unfinished"  # parts are added, and the rest is queued, or left to the next sweep


@dataclass(frozen=True)
class ObjectResult:
    """What became of an object: its transcript or its recorded failure; else `error` says why there is neither."""

    status: ObjectStatus
    result: Transcript | Answer | None = None
    error: TranscriberError | None = None

    def answer(self, response_format: ResponseFormat, chat: ChatReply | None = None) -> Answer:
        """The answer to a request for the object; raises `error` where there is none."""
        if isinstance(self.result, Transcript):
            return transcript_answer(self.result, response_format, chat)
        if self.result is None:
            raise self.error or AssertionError
        return self.result


class ObjectWork:
    """Transcribes objects with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def transcribe(
        self, reference: ObjectReference, options: TranscriptionOptions, scope: RequestScope, *, is_client: bool
    ) -> ObjectResult:
        """The result of an object, transcribed now or before; an error that another attempt may cure.

        A client waits for the answer: it looks for a result first, and does not wait for what only triggers wait for.
        """
        results = self._services.results
        audio = results.find_audio(reference)
        version = Version.of(audio.etag, options)
        if is_client and (completed := results.completed(reference, version, options)):
            return ObjectResult(ObjectStatus.SKIPPED, results.read(completed))
        parts = self._services.parts(reference, version, scope)
        claimed = results.claim(
            reference,
            audio,
            options,
            _request(reference, options),
            count_parts=parts.count,
            ignores_waits=is_client,
        )
        match claimed:
            case Completed():
                return ObjectResult(ObjectStatus.SKIPPED, results.read(claimed))
            case InProgress(seconds):
                return ObjectResult(ObjectStatus.SKIPPED, error=_in_progress(seconds))
            case Waiting(seconds, reason):
                return ObjectResult(ObjectStatus.SKIPPED, error=_waiting(seconds, reason))
        return self._work(claimed, options, parts, scope)

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

    def _work(
        self, claimed: ClaimedObject, options: TranscriptionOptions, parts: Parts, scope: RequestScope
    ) -> ObjectResult:
        """Work on a claimed object, and give its lease up, whatever happens."""
        if claimed.lease.is_exhausted:
            return self._give_up(claimed, parts, claimed.lease.reason, scope)
        # Stored results have times, whatever the format of this answer.
        timed = replace(options, response_format=ResponseFormat.VERBOSE_JSON)
        reserved = min(END_SECONDS, END_SHARE * scope.deadline.limit_seconds)
        run = replace(scope, deadline=scope.deadline.earlier(reserved))
        try:
            with self._services.open_object(claimed, run.deadline) as source:
                transcript = self._services.transcriber.transcribe(source, timed, run, parts)
        except UnfinishedError as end:
            return self._unfinished(claimed, parts, end, scope)
        except SourceNotFoundError:
            self._release(claimed, scope)  # no failure is recorded of a recording that was removed meanwhile
            raise
        except TranscriberError as error:
            return self._failed(claimed, parts, error, scope)
        except Exception as error:
            self._wait(claimed, parts, UnexpectedError(type(error).__name__), scope)
            raise
        return self._finished(claimed, parts, transcript, scope)

    def _finished(
        self, claimed: ClaimedObject, parts: Parts, transcript: Transcript, scope: RequestScope
    ) -> ObjectResult:
        """Store the transcript; where that fails, it is answered all the same, and its parts are kept."""
        try:
            is_stored = self._services.results.store(claimed, transcript)
            if is_stored:
                parts.remove()
            self._services.leases.release(claimed.lease)
        except TranscriberError as error:
            scope.report.add(**error_log_fields(error))
            return ObjectResult(ObjectStatus.UNFINISHED, transcript, error)
        # Not stored where a newer version took the lease over: that is another instance's, or the next sweep's.
        return ObjectResult(ObjectStatus.DONE if is_stored else ObjectStatus.SKIPPED, transcript)

    def _unfinished(
        self, claimed: ClaimedObject, parts: Parts, end: UnfinishedError, scope: RequestScope
    ) -> ObjectResult:
        error = end.error
        scope.report.add(**error_log_fields(error), missing=_named(end.missing))
        is_own_time = end.is_out_of_time and not isinstance(error, RateLimitedError) and error.cause is Cause.PASSING
        if is_own_time and not parts.added:
            error = TimeLimitError(
                f"In {scope.deadline.limit} no further part of the recording is read and transcribed; about "
                f"{end.needed_seconds + END_SECONDS:.0f} s would be enough. Or set a smaller CHUNK_MINUTES."
            )
        elif error.is_retryable and parts.added and error.cause is not Cause.ACCOUNT:
            self._release(claimed, scope)
            return ObjectResult(ObjectStatus.UNFINISHED, error=_incomplete(end, error))
        return self._failed(claimed, parts, error, scope, end)

    def _failed(
        self,
        claimed: ClaimedObject,
        parts: Parts,
        error: TranscriberError,
        scope: RequestScope,
        end: UnfinishedError | None = None,
    ) -> ObjectResult:
        """Record the failure, or have the lease wait and raise the error."""
        if error.cause is Cause.RECORDING and not error.is_retryable:
            if end is not None:
                error.add(f"Missing: {_named(end.missing)}.")
            return self._record(claimed, parts, error, scope)
        if error.cause is Cause.REQUEST or isinstance(error, SourceChangedError):
            self._release(claimed, scope)  # another request, or another version, may be the next to work on it
            raise error
        if error.cause is Cause.RECORDING and claimed.lease.attempts >= MAX_ATTEMPTS and not parts.added:
            return self._give_up(claimed, parts, error.message, scope, end)
        self._wait(claimed, parts, error, scope)
        raise error

    def _wait(self, claimed: ClaimedObject, parts: Parts, error: TranscriberError, scope: RequestScope) -> None:
        """Give the lease up until it makes sense to try again."""
        before = 0 if parts.added else claimed.lease.attempts
        match error.cause:
            case Cause.RECORDING:
                attempts, minutes = before, wait_minutes_after(before)
            case Cause.ACCOUNT:
                attempts, minutes = max(0, before - 1), ACCOUNT_MINUTES
            case _:
                attempts, minutes = max(0, before - 1), PASSING_MINUTES
        if (
            error.cause is not Cause.RECORDING
            and not claimed.lease.reason
            and not isinstance(error, BudgetExhaustedError)
        ):
            minutes = 0.0  # the first time, a trigger's own repetition may be enough
        try:
            self._services.leases.wait(
                claimed.lease,
                attempts=attempts,
                minutes=minutes,
                reason=error.message,
                parts=parts.count() + parts.added,
            )
        except TranscriberError as failure:
            # The lease ends at its time, and the attempt counts.
            scope.log("warning", "a lease could not be given up", **error_log_fields(failure))

    def _give_up(
        self,
        claimed: ClaimedObject,
        parts: Parts,
        reason: str,
        scope: RequestScope,
        end: UnfinishedError | None = None,
    ) -> ObjectResult:
        """Record that attempts have added nothing often enough."""
        missing = end.missing if end is not None else parts.missing()
        error = NeverSucceededError(
            f"{MAX_ATTEMPTS} attempts in a row have transcribed nothing more. Missing: {_named(missing)}. At the last "
            f"one: {reason.rstrip('.')}. Remove this record to have it tried again."
        )
        return self._record(claimed, parts, error, scope)

    def _record(
        self, claimed: ClaimedObject, parts: Parts, error: TranscriberError, scope: RequestScope
    ) -> ObjectResult:
        scope.report.add(**error_log_fields(error))
        record = self._services.results.store_failure(claimed, error)
        parts.remove(refusals_only=True)
        self._services.leases.release(claimed.lease)
        return ObjectResult(ObjectStatus.FAILED, record)

    def _release(self, claimed: ClaimedObject, scope: RequestScope) -> None:
        try:
            self._services.leases.release(claimed.lease)
        except TranscriberError as failure:
            # It ends at its time; what is done is kept.
            scope.log("warning", "a lease could not be given up", **error_log_fields(failure))


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


def _incomplete(end: UnfinishedError, error: TranscriberError) -> IncompleteError:
    total = "" if end.duration_seconds is None else f" of {clock_time(end.duration_seconds)}"
    return IncompleteError(
        f"The time ran out: {clock_time(end.done_seconds)}{total} is transcribed and kept. Send the request again to "
        f"go on from there. {error.message}",
        retry_after_seconds=error.retry_after_seconds or 1.0,
    )


def _named(spans: Sequence[Span]) -> str:
    """Spans in the words of a message."""
    named = [f"{clock_time(span.start_seconds)} to {_end(span)}" for span in spans[:MAX_SPANS_NAMED]]
    more = [f"{len(spans) - MAX_SPANS_NAMED} more"] if len(spans) > MAX_SPANS_NAMED else []
    return ", ".join([*named, *more]) or "all of it"


def _end(span: Span) -> str:
    """The end of a span; that of the recording may not be known."""
    is_known = span.start_seconds < span.end_seconds < float("inf")
    return clock_time(span.end_seconds) if is_known else "the end"
