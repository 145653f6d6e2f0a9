"""A function over HTTP: its status, uploads, jobs and transcripts. It neither retries nor waits."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from transcribe_client.errors import FunctionUnavailableError, NoTranscriptError

JOBS_PATH = "/v1/audio/transcriptions"
UPLOADS_PATH = "/v1/uploads"
# A connection has to be there within seconds. An answer may take as long as a request without a job does, which is
# the longest timeout of a function on the platform.
CONNECT_SECONDS = 20
ANSWER_SECONDS = 3600
# A cold start, or an instance that is busy with another request, delays the first answer.
STATUS_SECONDS = 120
# Part of an answer that is not the function's own, shown in a message.
SHOWN_CHARACTERS = 500


class PassingError(Exception):
    """No connection, or an answer that a later request may not get; `retry_after_seconds` where it says when."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class JobsUnavailableError(Exception):
    """The function keeps nothing: it has no storage for jobs and uploads. The message is the function's."""


class JobGoneError(Exception):
    """There is no such job: it was deleted, or its time is over."""


@dataclass(frozen=True)
class Upload:
    """Where a file is to be put, once, and which fields name it afterwards."""

    url: str
    headers: Mapping[str, str]
    bucket: str
    key: str


@dataclass(frozen=True)
class Job:
    """The state of a job; `progress` is 0 to 100, or None before the recording's length is known."""

    job_id: str
    status: str
    progress: float | None
    warnings: tuple[str, ...]
    error: str | None


class Function:
    """A function at `url`; `headers` has the tokens. A `session` for each thread: requests shares none safely."""

    def __init__(self, url: str, headers: Mapping[str, str], *, is_local: bool) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update(headers)
        self._proxies = {"http": ""} if is_local else None  # a proxy is for other hosts

    def status(self) -> requests.Response:
        """The answer to `GET /`; raises `PassingError`."""
        return self._send("GET", "/", seconds=STATUS_SECONDS)

    def create_upload(self, filename: str, size_bytes: int) -> Upload:
        """A place for a file."""
        answer = self._send("POST", UPLOADS_PATH, {"filename": filename, "bytes": size_bytes})
        if answer.status_code == HTTPStatus.BAD_REQUEST and not _is_about(answer, "filename", "bytes"):
            raise JobsUnavailableError(reason(answer))
        fields = _json(answer, HTTPStatus.CREATED)
        return Upload(fields["url"], fields["headers"], fields["bucket"], fields["key"])

    def put(self, upload: Upload, file: Iterable[bytes]) -> None:
        """Put the file into its place, straight into the storage: no token of the function goes there.

        A second attempt finds what the first one left, if its answer alone was lost.
        """
        try:
            answer = requests.put(
                upload.url,
                data=file,
                headers=dict(upload.headers),
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                proxies=self._proxies,
            )
        except requests.RequestException as error:
            raise PassingError(f"the upload broke off: {type(error).__name__}") from error
        if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            return
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PassingError(f"the storage answered {answer.status_code}")
        if not answer.ok:
            raise NoTranscriptError(f"the storage refused the upload: {reason(answer)}")

    def create_job(self, fields: Mapping[str, Any], idempotency_key: str) -> Job:
        """A job for a request, one for each key; `JobsUnavailableError` where the function cannot keep any."""
        answer = self._send("POST", JOBS_PATH, {**fields, "async": True}, headers={"Idempotency-Key": idempotency_key})
        if answer.status_code == HTTPStatus.BAD_REQUEST and _is_about(answer, "async"):
            raise JobsUnavailableError(reason(answer))
        return _job(_json(answer, HTTPStatus.ACCEPTED))

    def job(self, job_id: str) -> Job:
        """The present state of a job; raises `JobGoneError`."""
        answer = self._send("GET", f"{JOBS_PATH}/{quote(job_id, safe='')}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise JobGoneError
        return _job(_json(answer, HTTPStatus.OK))

    def content(self, job_id: str, response_format: str) -> bytes:
        """The transcript of a completed job."""
        path = f"{JOBS_PATH}/{quote(job_id, safe='')}/content?response_format={response_format}"
        answer = self._send("GET", path)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise JobGoneError
        if not answer.ok:
            raise NoTranscriptError(reason(answer))
        return answer.content

    def transcribe(self, fields: Mapping[str, Any]) -> bytes:
        """The transcript in one request, without a job."""
        answer = self._send("POST", "/", fields)
        if not answer.ok:
            raise NoTranscriptError(reason(answer))
        return answer.content

    def _send(
        self,
        method: str,
        path: str,
        fields: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> requests.Response:
        try:
            answer = self._session.request(
                method,
                self.url + path,
                json=fields,
                headers=headers,
                timeout=(CONNECT_SECONDS, seconds),
                proxies=self._proxies,
            )
        except requests.RequestException as error:
            raise PassingError(f"the function did not answer: {type(error).__name__}") from error
        passing = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT} | _SERVER_ERRORS
        if answer.status_code in passing:
            raise PassingError(reason(answer), _retry_after(answer))
        return answer


_SERVER_ERRORS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


def connect(url: str, token: str | None, auth_token: str | None) -> Mapping[str, str]:
    """The headers with which the function answers; raises `FunctionUnavailableError`.

    One token may be the function's own or the platform's: it is sent as the second where it is not the first.
    """
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    ways = [bearer | ({"X-Auth-Token": auth_token} if auth_token else {})]
    if token and not auth_token:
        ways.append({"X-Auth-Token": token})
    for headers in ways:
        try:
            answer = Function(url, headers, is_local=False).status()
        except PassingError as error:
            raise FunctionUnavailableError(f"{error} ({url})") from error
        if answer.status_code not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            break
    if answer.status_code == HTTPStatus.FORBIDDEN:
        raise FunctionUnavailableError(
            "the function is private, or the key is wrong: --token KEY has to be the secret key of an API key with "
            "FunctionsPrivateAccess"
        )
    if not answer.ok:
        raise FunctionUnavailableError(f"{url} does not answer as the function does: {reason(answer)}")
    return headers


def reason(answer: requests.Response) -> str:
    """The message of an error answer, with its status."""
    try:
        error: dict[str, Any] = json.loads(answer.content)["error"]
        return f"{error['message']} ({answer.status_code} {error['code']})"
    except (ValueError, KeyError, TypeError):
        return f"{answer.text.strip()[:SHOWN_CHARACTERS]} ({answer.status_code})"


def _is_about(answer: requests.Response, *fields: str) -> bool:
    try:
        return json.loads(answer.content)["error"]["param"] in fields
    except (ValueError, KeyError, TypeError):
        return False


def _json(answer: requests.Response, expected: HTTPStatus) -> dict[str, Any]:
    if answer.status_code != expected:
        raise NoTranscriptError(reason(answer))
    fields: dict[str, Any] = answer.json()
    return fields


def _job(fields: Mapping[str, Any]) -> Job:
    error = fields.get("error")
    return Job(
        job_id=fields["id"],
        status=fields["status"],
        progress=fields.get("progress"),
        warnings=tuple(fields.get("warnings") or ()),
        error=error.get("message") if isinstance(error, dict) else error,
    )


def _retry_after(answer: requests.Response) -> float | None:
    try:
        return float(answer.headers.get("Retry-After", ""))
    except ValueError:
        return None
