"""Answers the calls about a job by its id: its status, its transcript, its removal."""

import time
from typing import Final

from transcriber.deadline import Deadline
from transcriber.delivery.answer import Answer, json_answer
from transcriber.dispatch.job_callbacks import job_content
from transcriber.errors import JobNotCompletedError, JobNotFoundError
from transcriber.jobs.callbacks import OwedCallback
from transcriber.jobs.job_document import deleted_fields, pause_seconds, status_fields
from transcriber.jobs.layout import keeps_jobs
from transcriber.jobs.removal import remove_job
from transcriber.jobs.stores import Stores
from transcriber.request.job_calls import JobCall, JobContentRequest, JobDeletionRequest, JobStatusRequest
from transcriber.request.job_message import Job
from transcriber.request_scope import RequestScope
from transcriber.services import Services

# Between two looks at a job whose client waits: each is a request to the storage, and twice as long as the last one.
FIRST_LOOK_SECONDS: Final = 1.0


class JobCalls:
    """Answers with the services of an instance."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def answer(self, call: JobCall, scope: RequestScope) -> Answer:
        """The answer to a call; `JobNotFoundError` where the job is unknown, deleted, or too old."""
        scope.report.add(job=call.job_id)
        stores = self._stores(scope)
        match call:
            case JobStatusRequest():
                return self._status(call, stores, scope.deadline)
            case JobContentRequest():
                return _content(call, stores)
            case JobDeletionRequest():
                return self._delete(call, stores, scope)

    def _status(self, call: JobStatusRequest, stores: Stores, deadline: Deadline) -> Answer:
        record = stores.jobs.get(call.job_id)
        left_seconds = min(call.wait_seconds, deadline.remaining_seconds() / 2)
        pause = FIRST_LOOK_SECONDS
        while left_seconds > 0 and not record.status.is_final:
            pause = min(pause, left_seconds)
            time.sleep(pause)
            left_seconds -= pause
            pause *= 2
            record = stores.jobs.get(call.job_id)
        headers = {} if record.status.is_final else {"Retry-After": str(pause_seconds(record, stores.jobs.now()))}
        return json_answer(200, status_fields(record), headers)

    def _delete(self, call: JobDeletionRequest, stores: Stores, scope: RequestScope) -> Answer:
        record = stores.jobs.get(call.job_id)
        # First, so that a removal that is ended by a kill is ended by a sweep; after the time of a worker that is at
        # it, and may still write a part.
        place = stores.jobs.recording(record.id)
        owed = OwedCallback(Job(record.id), {"bucket": place.bucket, "key": place.key}, record.created_at)
        minutes = self._services.settings.time_limit_seconds / self._services.settings.minute_seconds
        stores.callbacks.keep(stores.jobs.bucket, owed, minutes=minutes)
        stores.jobs.bury(record)
        remove_job(record, stores, scope.log)
        if record.status.is_final:
            stores.callbacks.remove(stores.jobs.bucket, record.id)
        return json_answer(200, deleted_fields(record.id))

    def _stores(self, scope: RequestScope) -> Stores:
        if not keeps_jobs(self._services.settings):
            raise JobNotFoundError("There is no such job: this function keeps none (OUTPUT_BUCKET).")
        return self._services.stores(scope.deadline)


def _content(call: JobContentRequest, stores: Stores) -> Answer:
    record = stores.jobs.get(call.job_id)
    if not record.status.is_final:
        raise JobNotCompletedError(
            f"The job is {record.status.value}; its transcript is there once it is completed.",
            retry_after_seconds=pause_seconds(record, stores.jobs.now()),
        )
    return job_content(record, stores, call.response_format)
