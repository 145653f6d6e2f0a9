"""Requests without a signature, to the APIs and to the function; an answer that is none is an answer, too."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests

from transcriber.deadline import Deadline

# A cold start at the smallest share of a CPU takes 17 s.
TIMEOUT_SECONDS: Final = 30.0
OUT_OF_TIME: Final = "the time of this run was over before it answered; what took so long stands above"


@dataclass(frozen=True)
class WebAnswer:
    """An answer; `status` 0 where there was none, and `text` says why."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; empty for anything else."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def error(self) -> dict[str, Any]:
        """The error object in it, in both of the forms that there are."""
        fields = self.fields
        nested = fields.get("error")
        return nested if isinstance(nested, dict) else fields

    @property
    def message(self) -> str:
        """What the answer says is wrong."""
        return str(self.error.get("message") or self.text[:1_000])

    @property
    def date(self) -> datetime | None:
        """The server's time."""
        return parse_date(self.headers.get("date", ""))


class Web:
    """Sends requests that end by a deadline, over kept connections, without proxies' credentials or a .netrc."""

    def __init__(self, deadline: Callable[[], Deadline], headers: Mapping[str, str] | None = None) -> None:
        self._deadline = deadline
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers or {})

    def send(
        self,
        method: str,
        url: str,
        *,
        json_body: object = None,
        data: bytes | Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> WebAnswer:
        """The answer; redirects are not followed, since they would hide a wrong address."""
        started, deadline = time.monotonic(), self._deadline()
        if deadline.has_passed():
            return WebAnswer(0, OUT_OF_TIME)
        try:
            response = self._session.request(
                method,
                url,
                json=json_body,
                data=data,
                files=files,
                headers=headers,
                timeout=deadline.timeout_seconds(timeout_seconds),
                allow_redirects=False,
            )
            text, status = response.text, response.status_code
            answered = {name.lower(): value for name, value in response.headers.items()}
        except (requests.RequestException, ValueError, OSError) as error:
            reason = OUT_OF_TIME if deadline.has_passed() else reason_of(error)
            return WebAnswer(0, reason, seconds=time.monotonic() - started)
        return WebAnswer(status, text, answered, time.monotonic() - started)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def reason_of(error: Exception) -> str:
    """Why there was no answer, in words that hold no address."""
    match error:
        case requests.exceptions.SSLError():
            return "its certificate is not valid for this name"
        case requests.Timeout() | TimeoutError():
            return "it did not answer in time"
        case requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema():
            return "this is no address"
        case _ if "NameResolution" in str(error) or "getaddrinfo" in str(error):
            return "its name has no address"
        case _:
            return "nothing answers there, or it broke off"


def parse_date(text: str) -> datetime | None:
    """The moment in a Date header."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
