"""Calls back about jobs that are finished, until the receiver has taken it; what is delivered lies with the job."""

from transcriber.delivery.answer import Answer, json_answer
from transcriber.delivery.answers import transcript_answer
from transcriber.errors import CallbackFailedError, CallbackRefusedError, TranscriberError
from transcriber.jobs.callbacks import DELIVERY_MINUTES, OwedCallback
from transcriber.jobs.records import JobRecord
from transcriber.jobs.stores import Stores
from transcriber.outputs.document import from_document
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.request.job_message import Job
from transcriber.request.options import read_response_format
from transcriber.request_log import error_log_fields
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.services import Services


class JobCallbacks:
    """Calls back with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def finish(self, record: JobRecord, stores: Stores, scope: RequestScope) -> None:
        """Call back about a job that has just been finished, where its request has a callback; it is owed no more."""
        self._deliver(record, stores, scope, failed_deliveries=0)

    def deliver_again(self, record: JobRecord, stores: Stores, scope: RequestScope) -> None:
        """Call back about a finished job whose callback is still owed."""
        owed = stores.callbacks.get(stores.jobs.bucket, record.id)
        if owed is not None:
            self._deliver(record, stores, scope, failed_deliveries=owed.failed_deliveries)

    def _deliver(self, record: JobRecord, stores: Stores, scope: RequestScope, *, failed_deliveries: int) -> None:
        callback = record.request.get("callback")
        if isinstance(callback, str):
            try:
                self._send(callback, record, job_content(record, stores), scope)
            except CallbackRefusedError as error:
                scope.log("error", "a callback was refused for good", job=record.id, **error_log_fields(error))
            except CallbackFailedError as error:
                scope.log("warning", "a callback was not delivered", job=record.id, **error_log_fields(error))
                if failed_deliveries < len(DELIVERY_MINUTES):
                    owed = OwedCallback(Job(record.id), record.request, record.created_at, failed_deliveries + 1)
                    stores.callbacks.keep(stores.jobs.bucket, owed, minutes=DELIVERY_MINUTES[failed_deliveries])
                    return
                scope.log("error", "a callback is given up", job=record.id, **error_log_fields(error))
            except TranscriberError as error:
                # The entry stays: the next sweep that finds it due calls back.
                scope.log("error", "a callback is still owed", job=record.id, **error_log_fields(error))
                return
        stores.callbacks.remove(stores.jobs.bucket, record.id)

    def _send(self, callback: str, record: JobRecord, answer: Answer, scope: RequestScope) -> None:
        self._services.webhooks.send(
            callback,
            answer.body,
            answer.headers.get("Content-Type", JSON_TYPE),
            message_id=record.webhook_id,
            deadline=scope.deadline,
        )


def job_content(record: JobRecord, stores: Stores, response_format: ResponseFormat | None = None) -> Answer:
    """What came of a finished job: its transcript, by default in the format of its request, or its error."""
    if record.failure is not None:
        return json_answer(record.failure.status, {"error": dict(record.failure.error)})
    transcript = from_document(stores.jobs.transcript(record.id))
    requested = response_format or read_response_format(record.request) or ResponseFormat.JSON
    return transcript_answer(transcript, requested)
