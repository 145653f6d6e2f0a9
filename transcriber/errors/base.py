"""The root of the tree, what an error is about, and the errors of settings, requests, callbacks and runs."""

from enum import StrEnum
from typing import ClassVar


class Cause(StrEnum):
    """What an error is about, and so who or what can cure it."""

    REQUEST = "request"  # the client, by another request
    RECORDING = "recording"  # only another version of the audio, if anything: the next recording may succeed
    ACCOUNT = "account"  # the operator: until then, every recording fails in the same way
    PASSING = "passing"  # time alone


class TranscriberError(Exception):
    """An error with an answer: what is wrong, and what to do instead, in `message`, which a stranger may read."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    # Whether the very same request may succeed later: then a trigger delivers it again, and no failure is recorded.
    # Each error decides for itself: a default would decide for those that forgot to.
    is_retryable: ClassVar[bool]
    # What the error is about, without a default for the same reason.
    cause: ClassVar[Cause]

    def __init__(self, message: str, *, param: str | None = None, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        # When trying again makes sense; None where that is not known.
        self.retry_after_seconds = retry_after_seconds

    def add(self, sentence: str) -> None:
        """Add to the message what only a caller further away from the error knows."""
        self.message = f"{self.message} {sentence}"


class UnexpectedError(TranscriberError):
    """A fault that no other error describes; its message reveals nothing of it, and the log says where it happened."""

    is_retryable = True
    cause = Cause.RECORDING


class SettingsError(TranscriberError):
    """A setting is missing or wrong; `variable` is its name, and its value appears nowhere."""

    code = "wrong_setting"
    is_retryable = True
    cause = Cause.ACCOUNT

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(f"{variable}: {message}", param=variable)
        self.variable = variable


class BudgetExhaustedError(TranscriberError):
    """The account's budget is used up, which no waiting of minutes cures; nothing is wrong with the recording."""

    status = 503
    code = "budget_exhausted"
    is_retryable = True
    cause = Cause.ACCOUNT


class CallbackFailedError(TranscriberError):
    """The receiver of a callback did not take it, after retries."""

    status = 502
    code = "callback_failed"
    is_retryable = True
    cause = Cause.PASSING


class CallbackRefusedError(CallbackFailedError):
    """The receiver of a callback refused it for good: another delivery would be refused, too."""

    code = "callback_refused"
    is_retryable = False
    cause = Cause.REQUEST


class QueueFailedError(TranscriberError):
    """The queue did not take a message, after retries."""

    status = 502
    code = "queue_failed"
    is_retryable = True
    cause = Cause.PASSING


class InProgressError(TranscriberError):
    """Another request is transcribing the same recording."""

    status = 503
    code = "in_progress"
    is_retryable = True
    cause = Cause.PASSING


class IncompleteError(TranscriberError):
    """The time of the request ran out, and what is transcribed is kept: the next request goes on from there."""

    status = 504
    code = "incomplete"
    is_retryable = True
    cause = Cause.PASSING


class TimeLimitError(TranscriberError):
    """A chunk never fits TIME_LIMIT; the message states which TIME_LIMIT would hold it."""

    status = 504
    code = "time_limit"
    is_retryable = True
    cause = Cause.RECORDING


class NeverSucceededError(TranscriberError):
    """Attempts in a row have added nothing to what is transcribed; the message says what happened at the last one."""

    code = "never_succeeded"
    is_retryable = False
    cause = Cause.RECORDING


class RequestError(TranscriberError):
    """The request is malformed; `param` is the field."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"
    is_retryable = False
    cause = Cause.REQUEST


class AuthenticationError(RequestError):
    """The bearer token is missing, or is not the function's `ACCESS_TOKEN`."""

    status = 401
    type = "authentication_error"
    code = "invalid_access_token"


class PathNotServedError(RequestError):
    """The path is one of the OpenAI API that this function does not have; the message names one that it has."""

    status = 404
    code = "path_not_served"


class ModelNotServedError(RequestError):
    """A model that a client asks about, without a recording, is none of `MODELS`."""

    status = 404
    code = "model_not_served"


class MethodNotAllowedError(RequestError):
    """The HTTP method is none of `allowed`."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed
