"""Carries out each kind of request: a client's, a queued job, uploads, a sweep.

The answer to a trigger decides whether it delivers again: 500 and more for a failure that a retry may cure, and 200 for
everything else, since other failures are recorded or called back, and what goes on later is queued, or found by the
next sweep. A client is answered what happened.
"""

from transcriber.delivery.answer import Answer, json_answer
from transcriber.delivery.answers import upload_answer
from transcriber.delivery.error_answers import error_answer
from transcriber.dispatch.callbacks import CallbackWork
from transcriber.dispatch.job_calls import JobCalls
from transcriber.dispatch.jobs import JobWork
from transcriber.dispatch.objects import ObjectWork
from transcriber.dispatch.replays import ReplayWork
from transcriber.dispatch.requests import RequestWork
from transcriber.dispatch.sweeps import SweepWork
from transcriber.dispatch.uploads import UploadWork
from transcriber.errors import TranscriberError
from transcriber.jobs.job_document import accepted_fields
from transcriber.jobs.layout import keeps_jobs
from transcriber.request.job_calls import JobCall
from transcriber.request.s3_events import UploadEvent
from transcriber.request.sweep_request import SweepRequest
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request.upload_request import UploadRequest
from transcriber.request_scope import RequestScope
from transcriber.services import Services


class Dispatcher:
    """Carries out requests with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services
        objects = ObjectWork(services)
        self._requests = RequestWork(services, objects)
        self._callbacks = CallbackWork(services, self._requests)
        self._jobs = JobWork(services, objects)
        self._job_calls = JobCalls(services)
        self._replays = ReplayWork(services)
        self._uploads = UploadWork(services, objects)
        self._sweeps = SweepWork(services, self._uploads, self._callbacks, self._jobs)

    def transcription(self, request: TranscriptionRequest, scope: RequestScope) -> Answer:
        """The answer to a request: its transcript, or a job; with a callback, it is called back."""
        if request.job is not None and request.job.has_record:
            return json_answer(200, accepted_fields(self._jobs.carry_out(request.job, scope)))
        if request.job is None and request.idempotency_key is not None:
            return self._once(request, request.idempotency_key, scope)
        return self._carried_out(request, scope)

    def _once(self, request: TranscriptionRequest, idempotency_key: str, scope: RequestScope) -> Answer:
        """The answer to a client's request, carried out unless it was before."""
        begun = self._replays.begin(request, idempotency_key, scope, is_job=self._is_for_a_job(request))
        if isinstance(begun, Answer):
            return begun
        try:
            answer = self._carried_out(request, scope, job_id=begun.job_id)
        except TranscriberError as error:
            if error.is_retryable or begun.job_id is not None:
                self._replays.give_up(begun, scope)
            else:
                self._replays.end(begun, error_answer(error), scope)
            raise
        self._replays.end(begun, answer, scope)
        return answer

    def _carried_out(self, request: TranscriptionRequest, scope: RequestScope, *, job_id: str | None = None) -> Answer:
        if request.callback is not None:
            self._services.webhooks.check(request.callback)
        if request.job is None and self._is_for_a_job(request):
            return self._jobs.accept(request, scope, job_id)
        if request.callback is not None:
            if request.job is None:
                return self._callbacks.accept(request, request.callback, scope)
            return self._callbacks.carry_out(request, request.callback, request.job, scope)
        if request.job is None:
            return self._requests.answer(request, scope)
        return self._requests.job(request, scope)

    def job_call(self, call: JobCall, scope: RequestScope) -> Answer:
        """The answer to a call about a job by its id."""
        return self._job_calls.answer(call, scope)

    def upload(self, request: UploadRequest, scope: RequestScope) -> Answer:
        """The place of an upload, which the client makes by itself: no byte of it passes through the function."""
        slot = self._services.open_upload(request)
        scope.report.add(bucket=slot.bucket, key=slot.key, bytes=request.size_bytes)
        return upload_answer(
            upload_id=slot.id,
            url=slot.url,
            headers=slot.headers,
            expires_at=slot.expires_at,
            bucket=slot.bucket,
            key=slot.key,
        )

    def uploads(self, event: UploadEvent, scope: RequestScope) -> Answer:
        """Transcribe each uploaded recording; other files, and what this function wrote, are skipped."""
        return self._uploads.uploads(event, scope)

    def sweep(self, request: SweepRequest, scope: RequestScope) -> Answer:
        """Queue the recordings without a transcript, or transcribe as many as the time allows."""
        return self._sweeps.sweep(request, scope)

    def _is_for_a_job(self, request: TranscriptionRequest) -> bool:
        """Whether its answer is a job; a callback is a job's where jobs can be kept."""
        if request.options.dry_run:
            return False
        return request.is_async or (request.callback is not None and keeps_jobs(self._services.settings))
