"""Carries out a sweep: what waited and is due, then recordings without a result, then what has failed before.

With a queue, a sweep sends messages alone; without one, it transcribes as much as its time allows. A sweep that ends
early leaves its place in the storage, and the next one begins there, so that each recording has its turn.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from itertools import islice

from transcriber.cloud.queue_limits import MAX_BATCH
from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import counts_answer
from transcriber.dispatch.callbacks import CallbackWork
from transcriber.dispatch.uploads import UploadWork, ends_sweep, has_time
from transcriber.errors import TranscriberError
from transcriber.jobs.due import DueRequest
from transcriber.request.job_message import new_job
from transcriber.request.parse import read_own_request
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.request_log import error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.services import Services


class SweepWork:
    """Carries out sweeps with the services of an instance."""

    def __init__(self, services: Services, uploads: UploadWork, callbacks: CallbackWork) -> None:
        self._services = services
        self._uploads = uploads
        self._callbacks = callbacks

    def sweep(self, request: SweepRequest, scope: RequestScope) -> Answer:
        """Queue what is due and what has no result, or transcribe as much of it as the time allows."""
        counts = Counter(found=0, resumed=0, queued=0, done=0, skipped=0, failed=0, called_back=0)
        work = self._work(request, counts, scope)
        limited = islice(work, request.limit)
        failure = None
        if self._services.settings.queue_url:
            self._queue(limited, counts, scope)
        else:
            failure = self._transcribe(limited, counts, scope)
        work.close()
        scope.report.add(**counts)
        if failure is not None:
            raise failure
        return counts_answer(counts)

    def _queue(self, work: Iterator[DueRequest], counts: Counter[str], scope: RequestScope) -> None:
        while batch := list(islice(work, MAX_BATCH)):
            self._services.send_jobs([(due.job, due.request) for due in batch], scope.deadline)
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

    def _work(
        self, request: SweepRequest, counts: Counter[str], scope: RequestScope
    ) -> Generator[DueRequest, None, None]:
        """What there is to do, in order, as long as there is time; everything that was seen is counted."""
        later = []
        for each in self._services.stores(scope.deadline).due(request).requests(scope.deadline):
            if each.attempts:
                later.append(each)
            else:
                counts["resumed"] += 1
                yield each
        yield from self._missing(request, counts, scope)
        for each in sorted(later, key=lambda each: each.attempts):
            if not has_time(scope):
                return
            counts["resumed"] += 1
            yield each

    def _missing(self, request: SweepRequest, counts: Counter[str], scope: RequestScope) -> Iterator[DueRequest]:
        """The recordings without a result, from where the last sweep ended."""
        stores = self._services.stores(scope.deadline)
        place = stores.sweep_place(request)
        before = after = place.read()
        is_whole = False
        try:
            for swept in stores.sweep(request, after=before).objects(scope.deadline):
                counts["found"] += 1
                if not swept.is_missing:
                    counts["skipped"] += 1
                elif not has_time(scope):
                    return
                else:
                    reference = swept.reference
                    yield DueRequest(new_job(), {"bucket": reference.bucket, "key": reference.key})
                after = swept.reference.key
            is_whole = not scope.deadline.has_passed()
        finally:
            place.write("" if is_whole else after)
