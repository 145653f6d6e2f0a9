"""One attempt at a claimed object: goes on from its parts, and stores what came of it.

What follows from an end that is not a transcript is decided here, by the error's cause:

* about the recording, and for good: the failure is recorded, with the minutes that are missing.
* about the recording, and perhaps not for good: the lease waits, longer each time, and counts the attempt unless it
  added a part. After `MAX_ATTEMPTS` the failure is recorded.
* time ran out, and a part was added: the lease is given up, and the request is queued again.
* about the account, or passing: the lease waits, from the second time on, and the attempt does not count.

A client that allows gaps is answered with what there is, and the work goes on as without that. Beside a record, what
there is of the recording is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import transcript_answer
from transcriber.errors import (
    ApiError,
    BudgetExhaustedError,
    Cause,
    IncompleteError,
    NeverSucceededError,
    RateLimitedError,
    SourceChangedError,
    SourceNotFoundError,
    TimeLimitError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.jobs.lease_record import MAX_ATTEMPTS, wait_minutes_after
from transcriber.jobs.partials import Partials
from transcriber.jobs.parts import Parts
from transcriber.jobs.results import ClaimedObject
from transcriber.jobs.stores import Stores
from transcriber.request.openai_api import Reply
from transcriber.request.options import TranscriptionOptions
from transcriber.request_log import error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.services import Services
from transcriber.spans import Span, clock_time
from transcriber.transcription.partial import may_be_gap
from transcriber.transcription.resuming import UnfinishedError
from transcriber.transcription.transcript import Transcript

# What a run keeps of its time for its end: to write the last parts, to give the lease up, and to queue the request.
END_SECONDS: Final = 5.0
END_SHARE: Final = 0.1
# The waits after something that is not about the recording: a server that is down, and an account that somebody has to
# look at. Schedules come every five minutes.
PASSING_MINUTES: Final = 5.0
ACCOUNT_MINUTES: Final = 15.0
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

    def answer(self, response_format: ResponseFormat, reply: Reply | None = None) -> Answer:
        """The answer to a request for the object; raises `error` where there is none."""
        if isinstance(self.result, Transcript):
            return transcript_answer(self.result, response_format, reply)
        if self.result is None:
            raise self.error or AssertionError
        return self.result


class Attempt:
    """An attempt at one object, under its lease."""

    def __init__(
        self,
        services: Services,
        stores: Stores,
        claimed: ClaimedObject,
        scope: RequestScope,
        *,
        parts: Parts,
        partials: Partials,
    ) -> None:
        self._services = services
        self._stores = stores
        self._claimed = claimed
        self._parts = parts
        self._partials = partials
        self._allows_gaps = False
        self._partial: Transcript | None = None
        self._scope = scope

    def result(self, options: TranscriptionOptions) -> ObjectResult:
        """Work on the object, and give its lease up, whatever happens; an error that another attempt may cure."""
        self._allows_gaps = options.allow_partial
        if self._claimed.lease.is_exhausted:
            return self._give_up(self._claimed.lease.reason)
        # Stored results have times, whatever the format of this answer.
        timed = replace(options, response_format=ResponseFormat.VERBOSE_JSON)
        reserved = min(END_SECONDS, END_SHARE * self._scope.deadline.limit_seconds)
        run = replace(self._scope, deadline=self._scope.deadline.earlier(reserved))
        try:
            transcript = self._transcribe(timed, run)
        except UnfinishedError as end:
            return self._unfinished(end)
        except SourceNotFoundError:
            self._release()  # no failure is recorded of a recording that was removed meanwhile
            raise
        except TranscriberError as error:
            return self._failed(error)
        except Exception as error:
            self._wait(UnexpectedError(type(error).__name__))
            raise
        return self._finished(transcript)

    def _transcribe(self, options: TranscriptionOptions, run: RequestScope) -> Transcript:
        try:
            with self._services.open_object(self._claimed, run.deadline) as source:
                return self._services.transcriber.transcribe(source, options, run, self._parts)
        finally:
            run.report.add(paid_twice=self._parts.doubled or None)

    def _finished(self, transcript: Transcript) -> ObjectResult:
        """Store the transcript; where that fails, it is answered all the same, and its parts are kept."""
        try:
            is_stored = self._stores.results.store(self._claimed, transcript)
            if is_stored:
                self._partials.remove()
                self._parts.remove()
            self._stores.leases.release(self._claimed.lease)
        except TranscriberError as error:
            self._scope.report.add(**error_log_fields(error))
            return ObjectResult(ObjectStatus.UNFINISHED, transcript, error)
        # Not stored where a newer version took the lease over: that is another instance's, or the next sweep's.
        return ObjectResult(ObjectStatus.DONE if is_stored else ObjectStatus.SKIPPED, transcript)

    def _unfinished(self, end: UnfinishedError) -> ObjectResult:
        """What follows from missing chunks; a client that allows gaps has them, where more time would not help."""
        self._partial = self._partials.joined(end.results, end.missing, end.error)
        is_answered = self._allows_gaps and self._scope.is_interactive and may_be_gap(end.error)
        partial = self._partial if is_answered and not _is_own_time(end) else None
        try:
            result = self._ended(end)
        except ApiError as error:
            if partial is None:
                raise
            return ObjectResult(ObjectStatus.UNFINISHED, partial, error)
        return replace(result, result=result.result or partial)

    def _ended(self, end: UnfinishedError) -> ObjectResult:
        error = end.error
        self._scope.report.add(**error_log_fields(error), missing=_named(end.missing))
        if _is_own_time(end) and not self._parts.added:
            error = TimeLimitError(
                f"In {self._scope.deadline.limit} no further part of the recording is read and transcribed; about "
                f"{end.needed_seconds + END_SECONDS:.0f} s would be enough. Or set a smaller CHUNK_MINUTES."
            )
        elif error.is_retryable and self._parts.added and error.cause is not Cause.ACCOUNT:
            self._release()
            return ObjectResult(ObjectStatus.UNFINISHED, error=_incomplete(end, error))
        return self._failed(error, end)

    def _failed(self, error: TranscriberError, end: UnfinishedError | None = None) -> ObjectResult:
        """Record the failure, or have the lease wait and raise the error."""
        if error.cause is Cause.RECORDING and not error.is_retryable:
            if end is not None:
                error.add(f"Missing: {_named(end.missing)}.")
            return self._record(error)
        if error.cause is Cause.REQUEST or isinstance(error, SourceChangedError):
            self._release()  # another request, or another version, may be the next to work on it
            raise error
        if error.cause is Cause.RECORDING and self._claimed.lease.attempts >= MAX_ATTEMPTS and not self._parts.added:
            return self._give_up(error.message, end)
        self._wait(error)
        raise error

    def _wait(self, error: TranscriberError) -> None:
        """Give the lease up until it makes sense to try again."""
        attempts = 0 if self._parts.added else self._claimed.lease.attempts
        if error.cause is Cause.RECORDING:
            minutes = wait_minutes_after(attempts)
        else:
            attempts = max(0, attempts - 1)
            is_first_time = not self._claimed.lease.reason and not isinstance(error, BudgetExhaustedError)
            minutes = ACCOUNT_MINUTES if error.cause is Cause.ACCOUNT else PASSING_MINUTES
            if is_first_time:
                minutes = 0.0  # a trigger's own repetition may be enough
        try:
            self._stores.leases.wait(
                self._claimed.lease,
                attempts=attempts,
                minutes=minutes,
                reason=error.message,
                parts=self._parts.count() + self._parts.added,
            )
        except TranscriberError as failure:
            # The lease ends at its time, and the attempt counts.
            self._scope.log("warning", "a lease could not be given up", **error_log_fields(failure))

    def _give_up(self, reason: str, end: UnfinishedError | None = None) -> ObjectResult:
        """Record that attempts have added nothing often enough."""
        missing = end.missing if end is not None else self._parts.missing()
        error = NeverSucceededError(
            f"{MAX_ATTEMPTS} attempts in a row have transcribed nothing more. Missing: {_named(missing)}. At the last "
            f"one: {reason.rstrip('.')}. Remove this record to have it tried again."
        )
        return self._record(error)

    def _record(self, error: TranscriberError) -> ObjectResult:
        self._scope.report.add(**error_log_fields(error))
        partial = self._partial or self._partials.joined(None, None, error)
        if partial is not None:
            self._partials.keep(partial)
        record = self._stores.results.store_failure(self._claimed, error)
        self._parts.remove(refusals_only=True)
        self._stores.leases.release(self._claimed.lease)
        return ObjectResult(ObjectStatus.FAILED, partial if partial is not None and self._allows_gaps else record)

    def _release(self) -> None:
        try:
            self._stores.leases.release(self._claimed.lease)
        except TranscriberError as failure:
            # It ends at its time; what is done is kept.
            self._scope.log("warning", "a lease could not be given up", **error_log_fields(failure))


def _is_own_time(end: UnfinishedError) -> bool:
    """Whether more time would have helped."""
    error = end.error
    return end.is_out_of_time and not isinstance(error, RateLimitedError) and error.cause is Cause.PASSING


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
