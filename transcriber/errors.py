"""Everything that can go wrong, as one tree; `transcriber.delivery.error_answers` turns each into its answer.

The last column is the cause, which decides what follows for a recording that is not transcribed for a client.

TranscriberError
├── UnexpectedError             500  recording
├── SettingsError               500  account    a setting is missing or wrong
├── BudgetExhaustedError        503  account    the account's budget is used up
├── CallbackFailedError         502  passing    the receiver of a callback did not take it
│   └── CallbackRefusedError    502  request    the receiver of a callback refused it for good
├── QueueFailedError            502  passing    the queue did not take a message
├── InProgressError             503  passing    another request is transcribing the recording
├── IncompleteError             504  passing    time ran out; a part of the transcript is kept
├── TimeLimitError              504  recording  a chunk never fits TIME_LIMIT
├── NeverSucceededError         500  recording  attempts in a row have added nothing
├── RequestError                400  request    the request is malformed
│   ├── AuthenticationError     401
│   └── MethodNotAllowedError   405
├── SourceError
│   ├── AddressRefusedError     400  request    the address must not be reached
│   ├── SourceNotFoundError     404  recording
│   ├── SourceRefusedError      422  recording  the source answered with a 401, 403 or another refusal
│   │   └── StorageRefusedError      account    the keys of Object Storage have no permission
│   ├── SourceChangedError      502  recording  another version than the one that was read at first
│   ├── SourceLostError         502  recording  it broke off, and cannot be read again
│   ├── SourceFailedError       502  passing
│   └── SourceTimeoutError      504  passing
├── AudioError
│   ├── AudioTooLargeError      413  recording
│   └── UnsupportedAudioError   415  recording
└── ApiError
    ├── ApiRefusedError         400  recording  the API found the recording wrong
    │   ├── OptionRefusedError  400  request    an option of the client's
    │   └── AccountRefusedError 502  account    the account, or what every call has
    ├── ModelNotFoundError      422  account    a model of MODELS
    │   └── RequestedModelNotFoundError  request  the model that the client named
    ├── RateLimitedError        429  passing
    ├── ApiFailedError          502  passing
    ├── TruncatedTranscriptError 502 recording
    └── ApiTimeoutError         504  passing
"""

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


class MethodNotAllowedError(RequestError):
    """The HTTP method is none of `allowed`."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class SourceError(TranscriberError):
    """The audio cannot be read; only its subclasses are raised."""

    type = "invalid_request_error"


class AddressRefusedError(SourceError):
    """The address is not one that this function may reach."""

    status = 400
    code = "address_refused"
    is_retryable = False
    cause = Cause.REQUEST


class SourceNotFoundError(SourceError):
    """There is nothing at the address."""

    status = 404
    type = "not_found_error"
    code = "source_not_found"
    is_retryable = False
    cause = Cause.RECORDING


class SourceRefusedError(SourceError):
    """The source exists and refuses the audio; its operator may allow it later."""

    status = 422
    code = "source_refused"
    is_retryable = True
    cause = Cause.RECORDING


class StorageRefusedError(SourceRefusedError):
    """Object Storage does not let its keys do what a recording needs."""

    cause = Cause.ACCOUNT


class SourceChangedError(SourceError):
    """The audio became another one between two readings of it."""

    status = 502
    code = "source_changed"
    is_retryable = True
    cause = Cause.RECORDING


class SourceLostError(SourceError):
    """The source broke off, and cannot be read again from its start."""

    status = 502
    type = "server_error"
    code = "source_lost"
    is_retryable = True
    cause = Cause.RECORDING


class SourceFailedError(SourceError):
    """The source broke off, could not be reached, or answered with a failure of its own."""

    status = 502
    type = "server_error"
    code = "source_failed"
    is_retryable = True
    cause = Cause.PASSING


class SourceTimeoutError(SourceError):
    """The source did not deliver in time."""

    status = 504
    type = "server_error"
    code = "source_timeout"
    is_retryable = True
    cause = Cause.PASSING


class AudioError(TranscriberError):
    """The bytes are no audio that can be transcribed."""

    type = "invalid_request_error"
    is_retryable = False
    cause = Cause.RECORDING


class AudioTooLargeError(AudioError):
    """The audio is over a limit; the message gives the limit and the size."""

    status = 413
    code = "audio_too_large"


class UnsupportedAudioError(AudioError):
    """The bytes are not audio that can be read; the message says what they are."""

    status = 415
    code = "unsupported_audio"


class ApiError(TranscriberError):
    """The Generative APIs gave no transcript; `api_status` is the status of their answer, if there was one."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        api_status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after_seconds=retry_after_seconds)
        self.api_status = api_status


class ApiRefusedError(ApiError):
    """The API found the recording wrong: its answer names neither the model, nor an option, nor the account."""

    status = 400
    type = "invalid_request_error"
    code = "refused_by_api"
    is_retryable = False
    cause = Cause.RECORDING


class OptionRefusedError(ApiRefusedError):
    """The API does not take an option that the client gave; `param` is its name."""

    cause = Cause.REQUEST


class AccountRefusedError(ApiRefusedError):
    """The API, or a gateway before it, refuses what every call has: the account, the address, an option of our own."""

    status = 502
    type = "server_error"
    code = "account_refused"
    is_retryable = True
    cause = Cause.ACCOUNT


class ModelNotFoundError(ApiError):
    """The model does not exist, or cannot transcribe."""

    status = 422
    type = "invalid_request_error"
    code = "model_not_found"
    is_retryable = True
    cause = Cause.ACCOUNT


class RequestedModelNotFoundError(ModelNotFoundError):
    """The model that the client named does not exist, or cannot transcribe."""

    cause = Cause.REQUEST


class RateLimitedError(ApiError):
    """The API's rate limit outlasted the retries."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limited"
    is_retryable = True
    cause = Cause.PASSING


class ApiFailedError(ApiError):
    """The API failed, broke off, or sent something that is not an answer."""

    status = 502
    code = "api_failed"
    is_retryable = True
    cause = Cause.PASSING


class TruncatedTranscriptError(ApiError):
    """The model stopped at its output limit: its text is only a part, and is not returned."""

    status = 502
    code = "transcript_truncated"
    is_retryable = False
    cause = Cause.RECORDING


class ApiTimeoutError(ApiError):
    """The API did not answer in time."""

    status = 504
    code = "api_timeout"
    is_retryable = True
    cause = Cause.PASSING
