"""Answers a request for a transcript, of a client or of a message, as if it had no callback."""

from dataclasses import replace
from typing import Final

from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import in_progress_answer, transcript_answer
from transcriber.dispatch.attempt import ObjectResult, ObjectStatus
from transcriber.dispatch.dry_runs import answer_dry_run
from transcriber.dispatch.objects import ObjectWork
from transcriber.errors import ApiTimeoutError, InProgressError, RateLimitedError, SourceTimeoutError
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request_scope import RequestScope
from transcriber.services import Services

NOT_RESUMED: Final = (
    "Sent again, the request begins anew: only an object in Object Storage goes on from where it was. Name one by "
    "bucket and key, or send async: true, which makes an object of the recording, and answers with a job."
)


class RequestWork:
    """Answers requests with the services of an instance."""

    def __init__(self, services: Services, objects: ObjectWork) -> None:
        self._services = services
        self._objects = objects

    def answer(self, request: TranscriptionRequest, scope: RequestScope) -> Answer:
        """The answer to a request, carried out now; an error where there is none yet."""
        if request.options.dry_run:
            return answer_dry_run(request, self._services, scope)
        if isinstance(request.source, ObjectReference):
            return self._object(request.source, request, scope).answer(request.options.response_format, request.reply)
        with self._services.open_source(request.source, scope.deadline) as source:
            try:
                transcript = self._services.transcriber.transcribe(source, request.options, scope)
            except (ApiTimeoutError, RateLimitedError, SourceTimeoutError) as error:
                error.add(NOT_RESUMED)
                raise
        return transcript_answer(transcript, request.options.response_format, request.reply)

    def job(self, request: TranscriptionRequest, scope: RequestScope) -> Answer:
        """The answer to a queued request without a callback: its result is in the storage, whatever it is."""
        try:
            return replace(self.answer(request, scope), status=200)
        except InProgressError:
            # What brings it back is its lease: the work of another instance, or a wait, ends with it.
            return in_progress_answer()

    def _object(self, reference: ObjectReference, request: TranscriptionRequest, scope: RequestScope) -> ObjectResult:
        """What became of an object; the rest of one that is not finished is queued, unless a callback has it queued."""
        scope.report.add(bucket=reference.bucket, key=reference.key)
        is_client = request.job is None
        result = self._objects.transcribe(reference, request.options, scope, is_client=is_client)
        scope.report.add(outcome=result.status)
        if result.status is ObjectStatus.UNFINISHED and result.result is None and request.callback is None:
            is_queued = self._objects.go_on(reference, request.options, scope)
            if is_queued and request.job is not None:
                # Its message is done with, and not to be delivered again beside the new one.
                return replace(result, error=InProgressError("The rest of the work on the recording is queued."))
        return result
