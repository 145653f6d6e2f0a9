"""Maps the failures of the Generative APIs to our errors, whichever of their shapes they have."""

import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import httpx2
import openai

from transcriber.api.rate_limits import stated_wait_seconds
from transcriber.api.redaction import redact
from transcriber.errors import (
    AccountRefusedError,
    ApiError,
    ApiFailedError,
    ApiRefusedError,
    ApiTimeoutError,
    AudioTooLargeError,
    BudgetExhaustedError,
    ModelNotFoundError,
    RateLimitedError,
    SettingsError,
    TranscriberError,
)

_ERROR_STATUSES = range(400, 600)

# How the APIs word it: "The model `x` does not exist", "Model x not found", "unknown model", "model is deprecated".
_MISSING_MODEL = re.compile(
    r"\bmodel\b.{0,120}\b(?:not exist|not found|not available|no longer|unknown|unavailable|deprecated|retired)\b"
    r"|\b(?:unknown|no such|missing|invalid|unsupported) model\b",
    re.IGNORECASE,
)

# A budget of the day or the month; "quota" alone is the one of the minute.
_BUDGET = re.compile(
    r"\bbudget|insufficient[ _](?:quota|funds|credits?|balance)|\b(?:spending|credit|billing)[ _](?:limit|cap)\b"
    r"|\bout of credits?\b|\bcredits? (?:\w+ ){0,3}(?:exhausted|used up|depleted)|payment[ _]required",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:account|organi[sz]ation|project|subscription|billing|payment|api[ _]key|permissions?|authentication)\b"
    r"|permission_|authentication_",
    re.IGNORECASE,
)
_CONTEXT = re.compile(r"\bcontext (?:length|window|size)|\binput tokens\b", re.IGNORECASE)
# What a call may have beside the audio and the model, and the name of each in a request to this function.
OPTION_NAMES: Final[Mapping[str, str]] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "response_format": "response_format",
    "timestamp_granularities": "timestamp_granularities",
    "language": "language",
    "prompt": "prompt",
}
# "language" and "prompt" are ordinary words, too, and are names in quotes alone.
_OPTION = re.compile(
    r"\b(temperature|top_p|max_tokens|max_completion_tokens|response_format|timestamp_granularities)\b"
    r"|['\"`](language|prompt)['\"`]"
)
_MAY_BE_BUDGET = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, 422, HTTPStatus.TOO_MANY_REQUESTS})
_JUDGED_BY_WORDS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})
# The error of each status of which the status is enough. Time cures a conflict, a connection or server that was the
# wrong one, a lock, a dependency that failed, too early, and a client that a gateway took for gone (nginx's 499).
_ERRORS: Final[Mapping[int, type[ApiError]]] = {
    408: ApiTimeoutError,
    409: ApiFailedError,
    415: ApiRefusedError,
    421: ApiFailedError,
    423: ApiFailedError,
    424: ApiFailedError,
    425: ApiFailedError,
    429: RateLimitedError,
    499: ApiFailedError,
    504: ApiTimeoutError,
}


def from_client_error(error: openai.OpenAIError, secrets: Iterable[str], *, host: str) -> TranscriberError:
    """The client library's error as ours; `host` is that of GENERATIVE_API_URL."""
    if isinstance(error, openai.APITimeoutError):
        if isinstance(error.__cause__, httpx2.ConnectTimeout):
            return ApiTimeoutError(f"The API at {host} cannot be reached: the connection timed out.")
        return ApiTimeoutError(f"The API at {host} did not answer in time.")
    if isinstance(error, openai.APIStatusError):
        body = error.body if isinstance(error.body, dict) else {"message": error.response.text}
        retry_after = stated_wait_seconds(error.response.headers, now=datetime.now(UTC))
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
    error = _flat(nested if isinstance(nested, dict) else error)
    message = redact(str(error.get("message") or "no reason given"), secrets=secrets)
    said = f"The API answered {status}: {message}"
    if status == HTTPStatus.PAYMENT_REQUIRED or (status in _MAY_BE_BUDGET and _is_about_budget(error, message)):
        return BudgetExhaustedError(said)
    if setting := _wrong_setting(status, error, message):
        return setting
    if status in _JUDGED_BY_WORDS:
        return _refusal(error, message, said, status)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return AudioTooLargeError(f"The API says: {message}")
    if kind := _ERRORS.get(status):
        return kind(said, api_status=status, retry_after_seconds=retry_after)
    # A 4xx of the route, the network or the operator says nothing about a recording.
    kind = ApiFailedError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else AccountRefusedError
    return kind(said, api_status=status, retry_after_seconds=retry_after)


def _wrong_setting(status: int, error: Mapping[str, Any], message: str) -> SettingsError | None:
    """The error of an answer that shows a wrong key or address; None for any other."""
    if status < HTTPStatus.BAD_REQUEST:
        return SettingsError("GENERATIVE_API_URL", "its server redirects; set the address that it redirects to")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SettingsError("GENERATIVE_API_KEY", f"the API does not take it: {message}")
    if status == HTTPStatus.NOT_FOUND and not _is_about_model(error, message):
        return SettingsError("GENERATIVE_API_URL", f"the API has no such route: {message}")
    return None


def _flat(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error object with `message` and `param`, also where a validator lists faults under `detail`."""
    detail = error.get("detail")
    if error.get("message") or not detail:
        return error
    if not (isinstance(detail, list) and isinstance(detail[0], dict)):
        return {**error, "message": detail}
    where = detail[0].get("loc")
    names = [part for part in where if isinstance(part, str)] if isinstance(where, list) else []
    return {**error, "message": f"{'.'.join(names)}: {detail[0].get('msg')}", "param": names[-1] if names else None}


def _refusal(error: Mapping[str, Any], message: str, said: str, status: int) -> TranscriberError:
    """The error of a 400, 404 or 422: it is about the recording unless it names the model, an option or the account."""
    if _is_about_model(error, message):
        return ModelNotFoundError(f"The API says: {message}", param="model", api_status=status)
    if option := _option_named(error, message):
        # Whose option it is, only the caller knows.
        return AccountRefusedError(said, param=option, api_status=status)
    is_account = _ACCOUNT.search(f"{error.get('code')} {error.get('type')} {message}")
    return (AccountRefusedError if is_account else ApiRefusedError)(said, api_status=status)


def _option_named(error: Mapping[str, Any], message: str) -> str | None:
    """The option that a refusal is about, by its name in a request; None where it names none."""
    if _CONTEXT.search(message):
        return None  # the audio is too long for the model, and the option only what is left beside it
    named = str(error.get("param") or "").rpartition(".")[2].removesuffix("[]")
    if named not in OPTION_NAMES:
        found = _OPTION.search(message)
        named = next(filter(None, found.groups())) if found else ""
    return OPTION_NAMES.get(named)


def _is_about_budget(error: Mapping[str, Any], message: str) -> bool:
    return bool(_BUDGET.search(f"{error.get('code')} {error.get('type')} {message}"))


def _is_about_model(error: Mapping[str, Any], message: str) -> bool:
    """Whether the model is missing, and not, say, an option of the model."""
    is_named = error.get("param") == "model" or "model_not_found" in str(error.get("code"))
    return is_named or bool(_MISSING_MODEL.search(message))
