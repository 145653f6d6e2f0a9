"""The errors of calls about jobs, and of requests that are sent again under an Idempotency-Key."""

from transcriber.errors.base import Cause, RequestError, TranscriberError


class JobNotFoundError(TranscriberError):
    """There is no such job: its id is wrong, it was deleted, or its time is over."""

    status = 404
    type = "not_found_error"
    code = "job_not_found"
    is_retryable = False
    cause = Cause.REQUEST


class JobNotCompletedError(TranscriberError):
    """The job has no transcript yet."""

    status = 409
    type = "invalid_request_error"
    code = "job_not_completed"
    is_retryable = True
    cause = Cause.PASSING


class FirstRequestInProgressError(TranscriberError):
    """The first request with the same Idempotency-Key is still at work."""

    status = 409
    type = "invalid_request_error"
    code = "idempotency_in_progress"
    is_retryable = True
    cause = Cause.PASSING


class IdempotencyKeyReusedError(RequestError):
    """Another request was sent under the same Idempotency-Key."""

    status = 422
    code = "idempotency_key_reused"
