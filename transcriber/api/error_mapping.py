"""Turns what the Generative APIs say when they fail into our errors, whichever of their shapes it has."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

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

# Waiting longer than this is nothing that a server can mean for a request.
MAX_RETRY_AFTER_SECONDS = 3600.0

_ERROR_STATUSES = range(400, 600)

# The APIs' words for it: "The model `x` does not exist", "Model x not found", "unknown model", "model is deprecated".
_MISSING_MODEL = re.compile(
    r"\bmodel\b.{0,120}\b(?:not exist|not found|not available|no longer|unknown|unavailable|deprecated|retired)\b"
    r"|\b(?:unknown|no such|missing|invalid|unsupported) model\b",
    re.IGNORECASE,
)


def from_client_error(error: openai.OpenAIError, secrets: Iterable[str]) -> TranscriberError:
    """What the client library raised, as our error."""
    if isinstance(error, openai.APITimeoutError):
        return ApiTimeoutError("The API did not answer in time.")
    if isinstance(error, openai.APIStatusError):
        body = error.body if isinstance(error.body, dict) else {"message": error.response.text}
        retry_after = retry_after_seconds(error.response.headers.get("Retry-After"), now=datetime.now(UTC))
        return from_status(error.status_code, body, secrets, retry_after=retry_after)
    return ApiFailedError("The connection to the API broke off, or could not be made.")


def failure_in_answer(answer: object, secrets: Iterable[str]) -> TranscriberError | None:
    """The error that an answer with status 200 holds, in either of the shapes that occur; None when it holds none."""
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
    """The error for an API's `status` and the object that tells of it."""
    nested = error.get("error")
    error = nested if isinstance(nested, dict) else error
    message = redact(str(error.get("message") or error.get("detail") or "no reason given"), secrets=secrets)
    match status:
        case _ if status < HTTPStatus.BAD_REQUEST:
            return SettingsError("GENERATIVE_API_URL", "its server redirects; set the address that it redirects to")
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return SettingsError("GENERATIVE_API_KEY", f"the API does not take it: {message}")
        case HTTPStatus.NOT_FOUND if not _speaks_of_model(error, message):
            return SettingsError("GENERATIVE_API_URL", f"the API has no such route: {message}")
        case HTTPStatus.NOT_FOUND | HTTPStatus.UNPROCESSABLE_ENTITY if _speaks_of_model(error, message):
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
    """Seconds that a `Retry-After` header asks to wait: it holds a number of them, or a date (RFC 9110, 10.2.3)."""
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


def _speaks_of_model(error: Mapping[str, Any], message: str) -> bool:
    """Whether it is the model that is missing, and not, say, an option that the model does not have."""
    is_named = error.get("param") == "model" or "model_not_found" in str(error.get("code"))
    return is_named or bool(_MISSING_MODEL.search(message))
