"""Makes an object of a job's recording that is at an address, before it is worked on like any other."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from transcriber.dispatch.attempt import END_SECONDS, END_SHARE
from transcriber.errors import (
    Cause,
    IncompleteError,
    NeverSucceededError,
    SourceChangedError,
    SourceTimeoutError,
    TranscriberError,
)
from transcriber.jobs.copies import JobCopy
from transcriber.jobs.job_progress import JobProgress
from transcriber.jobs.lease_record import KILLED, MAX_ATTEMPTS
from transcriber.jobs.stores import Stores
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import UrlReference
from transcriber.request_scope import RequestScope
from transcriber.services import Services

# A server that is down, or cannot be reached, has a day; a job without news for longer is of no use.
COPY_HOURS: Final = 24.0


class CopyWork:
    """Copies recordings with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def recording(
        self, source: UrlReference, progress: JobProgress, stores: Stores, scope: RequestScope
    ) -> ObjectReference:
        """The object that the recording is by now; `IncompleteError` where a part was added, and the time is over."""
        place = stores.jobs.recording(progress.record.id)
        reserved = min(END_SECONDS, END_SHARE * scope.deadline.limit_seconds)
        run = replace(scope, deadline=scope.deadline.earlier(reserved))
        copy = JobCopy(self._services.storage.within(run.deadline), place, progress)
        self._begin_attempt(copy, progress)
        try:
            etag = self._copied(source, copy, run)
        except TranscriberError as error:
            raise self._end(error, copy, progress, stores, run) from None
        fields = {name: value for name, value in progress.record.request.items() if name != "url"}
        fields |= {"bucket": place.bucket, "key": place.key}
        progress.update(request=fields, audio_etag=etag, copy=None, attempts=0)
        return place

    def _begin_attempt(self, copy: JobCopy, progress: JobProgress) -> None:
        """Count the attempt before the work, so that one that ends its instance counts, unless it added a part."""
        record = progress.record
        attempts = 1 if copy.parts > record.copied_parts else record.attempts + 1
        if attempts > MAX_ATTEMPTS:
            raise NeverSucceededError(
                f"{MAX_ATTEMPTS} attempts in a row have copied nothing more. At the last one: {KILLED}."
            )
        progress.update(attempts=attempts, copied_parts=copy.parts)

    def _copied(self, source: UrlReference, copy: JobCopy, run: RequestScope) -> str:
        try:
            return self._run(source, copy, run)
        except SourceChangedError:
            copy.begin_anew()
            return self._run(source, copy, run)

    def _run(self, source: UrlReference, copy: JobCopy, run: RequestScope) -> str:
        with self._services.open_url(source, run.deadline, version=copy.version) as opened:
            return copy.run(opened)

    def _end(
        self, error: TranscriberError, copy: JobCopy, progress: JobProgress, stores: Stores, run: RequestScope
    ) -> TranscriberError:
        """What ended the run, as the job has it; what is not about the recording does not count as an attempt."""
        if not error.is_retryable:
            return error
        if copy.has_added:
            progress.update(attempts=0)
            if isinstance(error, SourceTimeoutError) and run.deadline.has_passed():
                return IncompleteError(f"The time ran out: {copy.parts} parts of the recording are copied.")
        elif error.cause is not Cause.RECORDING:
            progress.update(attempts=max(0, progress.record.attempts - 1))
        elif progress.record.attempts >= MAX_ATTEMPTS:
            return NeverSucceededError(f"{MAX_ATTEMPTS} attempts in a row have copied nothing more: {error.message}")
        if stores.jobs.now() >= progress.record.created_at + timedelta(hours=COPY_HOURS):
            return NeverSucceededError(f"The recording could not be copied in {COPY_HOURS:g} hours: {error.message}")
        return error
