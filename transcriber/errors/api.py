"""The errors of the Generative APIs: what each of their answers means for a recording."""

from transcriber.errors.base import Cause, TranscriberError


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


class OverlongTranscriptError(ApiFailedError):
    """The model's text is longer than any speech: another attempt at the recording may do better, or never will."""

    cause = Cause.RECORDING


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
