"""The answers to errors: the one place that knows the contract's answer to each."""

import math
from http import HTTPStatus

from transcriber.delivery.answer import Answer, json_answer
from transcriber.errors import (
    AuthenticationError,
    MethodNotAllowedError,
    RequestError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.request.trigger import Trigger


def error_answer(error: Exception, trigger: Trigger = Trigger.HTTP) -> Answer:
    """The answer to `error`; an unexpected one reveals nothing to a stranger."""
    if not isinstance(error, TranscriberError):
        error = UnexpectedError("The function failed. Its log says more, under this request's X-Request-Id.")
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    body = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return json_answer(_status(error, trigger), {"error": body}, headers)


def _status(error: TranscriberError, trigger: Trigger) -> int:
    """The error's own status, but for a trigger that delivers again what fails.

    An error that a retry may cure then has a 5xx, so that the event is delivered again; every other one has 200, since
    another delivery would fail the same way. A malformed request keeps its own status.
    """
    if not trigger.redelivers or isinstance(error, RequestError):
        return error.status
    if not error.is_retryable:
        return int(HTTPStatus.OK)
    return error.status if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else int(HTTPStatus.SERVICE_UNAVAILABLE)
