"""Calls the Generative APIs: one client, one retry policy, and each of their failures as one of our errors.

Importing this takes 0.7 s of CPU, nearly all of it the SDK's; what is answered without a call of the API spares it.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import IO, Any, TypeVar, cast

import httpx2
import openai

from transcriber.api.error_mapping import failure_in_answer, from_client_error
from transcriber.api.request_body import RequestBody, StreamedBody
from transcriber.api.transport import Transport
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ApiTimeoutError
from transcriber.net.tls import client_context
from transcriber.retry import RetryPolicy
from transcriber.settings import Settings

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 10.0
# A block of an upload must leave within this; over a slow link 128 KiB take seconds, not minutes.
WRITE_TIMEOUT_SECONDS = 60.0


class GenerativeApi:
    """The connection to the Generative APIs, kept for an instance's life."""

    def __init__(self, settings: Settings, *, retry: RetryPolicy | None = None) -> None:
        self._secrets = settings.secrets
        self._retry = retry or RetryPolicy()
        self._client = openai.OpenAI(
            api_key=settings.api_key,
            base_url=settings.api_url,
            max_retries=0,  # one retry policy, and it is ours: it knows the deadline, and can read a source again
            # Neither proxies nor credentials from the environment or a .netrc: the settings are all there is.
            http_client=httpx2.Client(
                transport=Transport(client_context()),
                headers={"Accept-Encoding": "identity"},
                trust_env=False,
                follow_redirects=False,
            ),
        )

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        """The names of the models that exist; not retried, since nothing depends on it but the choice of a model."""

        def get(timeout: httpx2.Timeout) -> httpx2.Response:
            return self._client.get("/models", cast_to=httpx2.Response, options={"timeout": timeout})

        models = self._call(get, deadline).get("data")
        if not isinstance(models, list):
            raise ApiFailedError("The API's list of models has no models in it.")
        return frozenset(str(model.get("id")) for model in models if isinstance(model, dict))

    def post(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], T],
        *,
        deadline: Deadline,
    ) -> T:
        """What `read` makes of the answer to a call of `path`, with a body that `make_body` makes for each try.

        `read` raises `ApiFailedError` for an answer that is none, and then there is another try.
        """

        def post(timeout: httpx2.Timeout) -> httpx2.Response:
            with closing(make_body()) as body:
                response = self._send(path, body, timeout)
                if not body.is_whole:
                    raise ApiFailedError("The API answered before it had heard the whole recording.")
                return response

        return self._retry(lambda: read(self._call(post, deadline)), deadline=deadline)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, path: str, body: RequestBody, timeout: httpx2.Timeout) -> httpx2.Response:
        """One call of `path`; the answer as it came, so that an error or garbage inside a 200 is recognised."""
        if isinstance(body, StreamedBody):
            return self._client.post(
                path,
                cast_to=httpx2.Response,
                content=body,
                options={"timeout": timeout, "headers": body.headers},
            )
        file = cast("IO[bytes]", body.upload)  # it has what is asked of a file here, which is far less than all of IO
        return self._client.post(
            path,
            cast_to=httpx2.Response,
            body=body.fields,
            files={"file": (body.filename, file, body.content_type)},
            options={"timeout": timeout, "headers": {"Content-Type": "multipart/form-data"}},
        )

    def _call(self, send: Callable[[httpx2.Timeout], httpx2.Response], deadline: Deadline) -> Mapping[str, Any]:
        """One try: what `send` gets, as an object of JSON that is no error."""
        if deadline.has_passed():
            raise ApiTimeoutError(f"The API did not answer within {deadline.limit_seconds:g} s (TIME_LIMIT).")
        try:
            response = send(_timeout(deadline.remaining_seconds()))
        except openai.OpenAIError as error:
            raise from_client_error(error, self._secrets) from None
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            raise ApiFailedError("The API answered with something that is no JSON.") from None
        if failure := failure_in_answer(answer, self._secrets):
            raise failure
        if not isinstance(answer, dict):
            raise ApiFailedError("The API answered with JSON that is no object.")
        return answer


def _timeout(remaining_seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(
        remaining_seconds,
        connect=min(CONNECT_TIMEOUT_SECONDS, remaining_seconds),
        write=min(WRITE_TIMEOUT_SECONDS, remaining_seconds),
    )
