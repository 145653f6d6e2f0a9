"""What a request says beside its options: whether its answer is a job, and under which key it may be sent again."""

from collections.abc import Mapping
from typing import Any, Final

from transcriber.errors import RequestError

ASYNC_FIELD: Final = "async"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
# The limit of other services, which users know.
MAX_IDEMPOTENCY_KEY_LENGTH: Final = 255


def read_async(fields: Mapping[str, Any], query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Whether the answer is a job, by the field `async` or by the header Prefer (RFC 7240)."""
    match {**query, **fields}.get(ASYNC_FIELD):
        case None:
            return _prefers_async(headers)
        case bool() as value:
            return value
        case str() as text if text.strip().lower() in {"true", "false"}:  # as forms and query strings spell it
            return text.strip().lower() == "true"
    raise RequestError("async is true or false.", param=ASYNC_FIELD)


def read_idempotency_key(headers: Mapping[str, str]) -> str | None:
    """The key under which the request may be sent again; None where it has none."""
    key = headers.get(IDEMPOTENCY_KEY.lower())
    if key is None:
        return None
    if not key.strip() or len(key) > MAX_IDEMPOTENCY_KEY_LENGTH:
        message = f"{IDEMPOTENCY_KEY} is a text of 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} characters."
        raise RequestError(message, param=IDEMPOTENCY_KEY)
    return key.strip()


def _prefers_async(headers: Mapping[str, str]) -> bool:
    preferences = headers.get("prefer", "").lower().split(",")
    return any(preference.partition(";")[0].strip() == "respond-async" for preference in preferences)
