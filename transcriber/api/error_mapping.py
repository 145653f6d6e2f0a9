"""Maps the failures of the Generative APIs to our errors, whichever of their shapes they have."""

import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2
import openai

from transcriber.api.redaction import redact
from transcriber.errors import (
    ApiError,
    ApiFailedError,
    ApiRefusedError,
    ApiTimeoutError,
    AudioTooLargeError,
    ModelNotFoundError,
    RateLimitedError,
    SettingsError,
    TranscriberError,
)

# No server means a longer wait for a single request.
MAX_RETRY_AFTER_SECONDS = 3600.0

_ERROR_STATUSES = range(400, 600)

# How the APIs word it: "The model `x` does not exist", "Model x not found", "unknown model", "model is deprecated".
_MISSING_MODEL = re.compile(
    r"\bmodel\b.{0,120}\b(?:not exist|not found|not available|no longer|unknown|unavailable|deprecated|retired)\b"
    r"|\b(?:unknown|no such|missing|invalid|unsupported) model\b",
    re.IGNORECASE,
)


def from_client_error(error: openai.OpenAIError, secrets: Iterable[str], *, host: str) -> TranscriberError:
    """The client library's error as ours; `host` is that of GENERATIVE_API_URL."""
    if isinstance(error, openai.APITimeoutError):
        if isinstance(error.__cause__, httpx2.ConnectTimeout):
            return ApiTimeoutError(f"The API at {host} cannot be reached: the connection timed out.")
        return ApiTimeoutError(f"The API at {host} did not answer in time.")
    if isinstance(error, openai.APIStatusError):
        body = error.body if isinstance(error.body, dict) else {"message": error.response.text}
        retry_after = retry_after_seconds(error.response.headers.get("Retry-After"), now=datetime.now(UTC))
        return from_status(error.status_code, body, secrets, retry_after=retry_after)
    return ApiFailedError(_connection_failure(error, host))


def _connection_failure(error: BaseException, host: str) -> str:
    """Why there is no answer, without the text of the error, which may name internal addresses."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"The API at {host} cannot be reached: its name has no address (GENERATIVE_API_URL)."
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return f"The API at {host} cannot be reached: its certificate is not valid."
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"The API at {host} cannot be reached: it refuses connections."
    if any(isinstance(cause, httpx2.ConnectError) for cause in causes):
        return f"The API at {host} cannot be reached: the connection failed."
    return f"The connection to the API at {host} broke off before its answer."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def failure_in_answer(answer: object, secrets: Iterable[str]) -> TranscriberError | None:
    """The error in an answer with status 200, in either of the shapes that occur; None when there is none."""
    if not isinstance(answer, dict):
        return None
    if isinstance(answer.get("error"), dict | str):
        error = answer["error"] if isinstance(answer["error"], dict) else {"message": answer["error"]}
    elif answer.get("object") == "error":
        error = answer
    else:
        return None
    code = error.get("code")
    status = code if isinstance(code, int) and code in _ERROR_STATUSES else int(HTTPStatus.INTERNAL_SERVER_ERROR)
    return from_status(status, error, secrets)


def from_status(
    status: int, error: Mapping[str, Any], secrets: Iterable[str], *, retry_after: float | None = None
) -> TranscriberError:
    """The error for an API's `status` and the error object in its answer."""
    nested = error.get("error")
    error = nested if isinstance(nested, dict) else error
    message = redact(str(error.get("message") or error.get("detail") or "no reason given"), secrets=secrets)
    match status:
        case _ if status < HTTPStatus.BAD_REQUEST:
            return SettingsError("GENERATIVE_API_URL", "its server redirects; set the address that it redirects to")
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return SettingsError("GENERATIVE_API_KEY", f"the API does not take it: {message}")
        case HTTPStatus.NOT_FOUND if not _is_about_model(error, message):
            return SettingsError("GENERATIVE_API_URL", f"the API has no such route: {message}")
        case HTTPStatus.NOT_FOUND | HTTPStatus.UNPROCESSABLE_ENTITY if _is_about_model(error, message):
            return ModelNotFoundError(f"The API says: {message}", param="model", api_status=status)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return AudioTooLargeError(f"The API says: {message}")
        case HTTPStatus.TOO_MANY_REQUESTS:
            kind: type[ApiError] = RateLimitedError
        case HTTPStatus.GATEWAY_TIMEOUT:
            kind = ApiTimeoutError
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = ApiFailedError
        case _:
            kind = ApiRefusedError
    return kind(f"The API answered {status}: {message}", api_status=status, retry_after_seconds=retry_after)


def retry_after_seconds(value: str | None, *, now: datetime) -> float | None:
    """The seconds to wait by a `Retry-After` header, which holds a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS) if seconds == seconds else None  # noqa: PLR0124 # not a NaN


def _is_about_model(error: Mapping[str, Any], message: str) -> bool:
    """Whether the model is missing, and not, say, an option of the model."""
    is_named = error.get("param") == "model" or "model_not_found" in str(error.get("code"))
    return is_named or bool(_MISSING_MODEL.search(message))
