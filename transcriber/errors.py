"""Everything that can go wrong, as one tree; `transcriber.delivery.answers` turns each into the contract's answer.

TranscriberError
├── SettingsError               500  a setting is missing or wrong
├── CallbackFailedError         502  the receiver of a callback did not take it
├── QueueFailedError            502  the queue did not take a message
├── RequestError                400  the request is malformed
│   ├── AuthenticationError     401
│   └── MethodNotAllowedError   405
├── SourceError
│   ├── AddressRefusedError     400  the address must not be reached
│   ├── SourceNotFoundError     404
│   ├── SourceRefusedError      422  the source answered with a 401, 403 or another refusal
│   ├── SourceChangedError      502  another version than the one that was read at first
│   ├── SourceLostError         502  it broke off, and cannot be read again
│   ├── SourceFailedError       502
│   └── SourceTimeoutError      504
├── AudioError
│   ├── AudioTooLargeError      413
│   └── UnsupportedAudioError   415
└── ApiError
    ├── ApiRefusedError         400  the API found the request wrong
    ├── ModelNotFoundError      422
    ├── RateLimitedError        429
    ├── ApiFailedError          502
    ├── TruncatedTranscriptError 502
    └── ApiTimeoutError         504
"""

from typing import ClassVar


class TranscriberError(Exception):
    """An error with an answer: what is wrong, and what to do instead, in `message`, which a stranger may read."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    # Whether the very same request may succeed later: then a trigger delivers it again, and no failure is recorded.
    # Each error decides for itself: a default would decide for those that forgot to.
    is_retryable: ClassVar[bool]

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def add(self, sentence: str) -> None:
        """Add to the message what only a caller further away from the error knows."""
        self.message = f"{self.message} {sentence}"


class UnexpectedError(TranscriberError):
    """A fault that no other error describes; its message reveals nothing of it, and the log says where it happened."""

    is_retryable = True


class SettingsError(TranscriberError):
    """A setting is missing or wrong; `variable` is its name, and its value appears nowhere."""

    code = "wrong_setting"
    is_retryable = True

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(f"{variable}: {message}", param=variable)
        self.variable = variable


class CallbackFailedError(TranscriberError):
    """The receiver of a callback did not take it, after retries."""

    status = 502
    code = "callback_failed"
    is_retryable = True


class QueueFailedError(TranscriberError):
    """The queue did not take a message, after retries."""

    status = 502
    code = "queue_failed"
    is_retryable = True


class RequestError(TranscriberError):
    """The request is malformed; `param` is the field."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"
    is_retryable = False


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


class SourceNotFoundError(SourceError):
    """There is nothing at the address."""

    status = 404
    type = "not_found_error"
    code = "source_not_found"
    is_retryable = False


class SourceRefusedError(SourceError):
    """The source exists and refuses the audio; its operator may allow it later."""

    status = 422
    code = "source_refused"
    is_retryable = True


class SourceChangedError(SourceError):
    """The audio became another one between two readings of it."""

    status = 502
    code = "source_changed"
    is_retryable = True


class SourceLostError(SourceError):
    """The source broke off, and cannot be read again from its start."""

    status = 502
    type = "server_error"
    code = "source_lost"
    is_retryable = True


class SourceFailedError(SourceError):
    """The source broke off, could not be reached, or answered with a failure of its own."""

    status = 502
    type = "server_error"
    code = "source_failed"
    is_retryable = True


class SourceTimeoutError(SourceError):
    """The source did not deliver in time."""

    status = 504
    type = "server_error"
    code = "source_timeout"
    is_retryable = True


class AudioError(TranscriberError):
    """The bytes are no audio that can be transcribed."""

    type = "invalid_request_error"
    is_retryable = False


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
        super().__init__(message, param=param)
        self.api_status = api_status
        self.retry_after_seconds = retry_after_seconds


class ApiRefusedError(ApiError):
    """The API found the request wrong."""

    status = 400
    type = "invalid_request_error"
    code = "refused_by_api"
    is_retryable = False


class ModelNotFoundError(ApiError):
    """The model does not exist, or cannot transcribe."""

    status = 422
    type = "invalid_request_error"
    code = "model_not_found"
    is_retryable = True


class RateLimitedError(ApiError):
    """The API's rate limit outlasted the retries."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limited"
    is_retryable = True


class ApiFailedError(ApiError):
    """The API failed, broke off, or sent something that is not an answer."""

    status = 502
    code = "api_failed"
    is_retryable = True


class TruncatedTranscriptError(ApiError):
    """The model stopped at its output limit: its text is only a part, and is not returned."""

    status = 502
    code = "transcript_truncated"
    is_retryable = False


class ApiTimeoutError(ApiError):
    """The API did not answer in time."""

    status = 504
    code = "api_timeout"
    is_retryable = True
