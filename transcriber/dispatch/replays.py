"""Has a request with an Idempotency-Key carried out once: the same one again has the first one's answer, or its job."""

from dataclasses import replace
from typing import Any, Final

from transcriber.delivery.answer import Answer
from transcriber.dispatch.jobs import accepted_answer
from transcriber.errors import FirstRequestInProgressError, JobNotFoundError
from transcriber.jobs.layout import kept_bucket
from transcriber.jobs.records import new_job_id
from transcriber.jobs.replays import FirstRequest
from transcriber.jobs.stores import Stores
from transcriber.request.openai_api import ChatReply, TranscriptEvents
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request_scope import RequestScope
from transcriber.services import Services

REPLAYED: Final = {"Idempotent-Replayed": "true"}
RETRY_AFTER_SECONDS: Final = 5.0
# Each lost race means that another request with the key has begun or ended.
MAX_RACES: Final = 5


class ReplayWork:
    """Keeps answers with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def begin(
        self, request: TranscriptionRequest, idempotency_key: str, scope: RequestScope, *, is_job: bool
    ) -> FirstRequest | Answer:
        """The answer to a request that was sent before; else the claim of its key, with the id of its job."""
        kept_bucket(self._services.settings, what="Answers under an Idempotency-Key", param="Idempotency-Key")
        stores = self._services.stores(scope.deadline)
        fields = _identity(request, is_job=is_job)
        job_id = new_job_id() if is_job else None
        for _ in range(MAX_RACES):
            if begun := stores.replays.begin(idempotency_key, fields, job_id):
                return begun
            first = stores.replays.first(idempotency_key, fields)
            if first is None:
                continue  # given up just now
            if answer := _answer_of(first, request, stores):
                return replace(answer, headers={**answer.headers, **REPLAYED})
            if begun := stores.replays.take_over(first, fields, job_id):
                return begun
        raise _in_progress()

    def end(self, first: FirstRequest, answer: Answer, scope: RequestScope) -> None:
        """Keep the answer to the first request; a job is its own answer."""
        if first.job_id is None:
            self._services.stores(scope.deadline).replays.keep(first, answer)

    def give_up(self, first: FirstRequest, scope: RequestScope) -> None:
        """Let the next request under the key be the first one."""
        self._services.stores(scope.deadline).replays.give_up(first)


def _answer_of(first: FirstRequest, request: TranscriptionRequest, stores: Stores) -> Answer | None:
    """The first one's answer or job; None where it left none; an error while it is at work."""
    if first.answer is not None:
        return first.answer
    if first.job_id is not None:
        try:
            if stores.jobs.get_or_tombstone(first.job_id).is_deleted:
                return None
            return accepted_answer(stores.jobs.get(first.job_id), request)
        except JobNotFoundError:
            pass  # not written yet, never written, or too old
    if not first.is_over:
        raise _in_progress()
    return None


def _identity(request: TranscriptionRequest, *, is_job: bool) -> dict[str, Any]:
    """What two requests have in common that are the same."""
    match request.reply:
        case ChatReply() as chat:
            reply: object = [chat.is_streamed, chat.streams_usage]
        case TranscriptEvents():
            reply = "events"
        case None:
            reply = None
    return {"request": request.to_fields(), "chat": reply, "job": is_job}


def _in_progress() -> FirstRequestInProgressError:
    return FirstRequestInProgressError(
        "The first request under this Idempotency-Key is still at work. Send it again for its answer.",
        param="Idempotency-Key",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
