"""Calls the Generative APIs: one client, one retry policy, and each of their failures as one of our errors.

Importing this takes 0.7 s of CPU, nearly all of it the SDK's; requests that are answered without a call do not import
it.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import IO, Any, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

import httpx2
import openai

from transcriber.api.backend import CallContext
from transcriber.api.call_limiter import CallLimiter
from transcriber.api.error_mapping import failure_in_answer, from_client_error
from transcriber.api.request_body import RequestBody, StreamedBody
from transcriber.api.transport import Transport
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ApiTimeoutError
from transcriber.net.tls import client_context
from transcriber.retry import SHORTEST_TRY_SECONDS, RetryPolicy
from transcriber.settings import Settings

T = TypeVar("T")
_Send: TypeAlias = Callable[[httpx2.Timeout, Mapping[str, str]], httpx2.Response]

CONNECT_TIMEOUT_SECONDS = 10.0
# A block of an upload must leave within this; over a slow link 128 KiB take seconds, not minutes.
WRITE_TIMEOUT_SECONDS = 60.0


class GenerativeApi:
    """The connection to the Generative APIs, kept for an instance's life."""

    def __init__(
        self, settings: Settings, *, retry: RetryPolicy | None = None, limiter: CallLimiter | None = None
    ) -> None:
        self._host = urlsplit(settings.api_url).netloc
        self._secrets = settings.secrets
        self._retry = retry or RetryPolicy()
        self._limiter = limiter or CallLimiter(settings)
        self._transport = Transport(client_context())
        self._client = openai.OpenAI(
            api_key=settings.api_key,
            base_url=settings.api_url,
            max_retries=0,  # the retry policy is ours: it knows the deadline, and can read a source again
            # Neither proxies nor credentials from the environment or a .netrc: only the settings count.
            http_client=httpx2.Client(
                transport=self._transport,
                headers={"Accept-Encoding": "identity"},
                trust_env=False,
                follow_redirects=False,
            ),
        )

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        """The names of the models that exist; not retried, since only the choice of a model depends on it."""
        models = self._call(self._get_models, CallContext(deadline)).get("data")
        if not isinstance(models, list):
            raise ApiFailedError("The API's list of models has no models in it.")
        return frozenset(str(model.get("id")) for model in models if isinstance(model, dict))

    def post(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], T],
        *,
        context: CallContext,
        audio_seconds: float = 0.0,
    ) -> T:
        """The result of `read` for the answer of `path`, with a new body from `make_body` for each attempt.

        `read` raises `ApiFailedError` for an answer that it cannot read, and the call is retried. A call that the quota
        refuses is repeated as long as there is time; none is started that would not end in time.
        """
        # No closures here and below: a failed call's traceback would keep what they refer to, which is a chunk.
        return self._retry(
            partial(
                self._limiter.call,
                partial(self._attempt, path, make_body, read, context),
                audio_seconds=audio_seconds,
                context=context,
            ),
            deadline=context.deadline,
            needed_seconds=max(SHORTEST_TRY_SECONDS, self.expected_seconds(audio_seconds)),
            cancellation=context.cancellation,
            on_retry=context.retry,
        )

    def expected_seconds(self, audio_seconds: float) -> float:
        """How long a call with so much audio is expected to take, once it may start: none is started with less left."""
        return self._limiter.expected_seconds(audio_seconds)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _attempt(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], T],
        context: CallContext,
    ) -> T:
        return read(self._call(partial(self._post, path, make_body), context))

    def _get_models(self, timeout: httpx2.Timeout, headers: Mapping[str, str]) -> httpx2.Response:
        return self._client.get("/models", cast_to=httpx2.Response, options={"timeout": timeout, "headers": headers})

    def _post(
        self, path: str, make_body: Callable[[], RequestBody], timeout: httpx2.Timeout, headers: Mapping[str, str]
    ) -> httpx2.Response:
        with closing(make_body()) as body:
            response = self._send(path, body, timeout, headers)
            if not body.is_whole:
                raise ApiFailedError("The API answered before it had received the whole recording.")
            return response

    def _send(
        self, path: str, body: RequestBody, timeout: httpx2.Timeout, headers: Mapping[str, str]
    ) -> httpx2.Response:
        """One call of `path`; the raw answer, so that an error or garbage inside a 200 is recognised."""
        if isinstance(body, StreamedBody):
            return self._client.post(
                path,
                cast_to=httpx2.Response,
                content=body,
                options={"timeout": timeout, "headers": {**headers, **body.headers}},
            )
        file = cast("IO[bytes]", body.file)  # it has the methods that are used here, far fewer than IO has
        return self._client.post(
            path,
            cast_to=httpx2.Response,
            body=body.fields,
            files={"file": (body.filename, file, body.content_type)},
            options={"timeout": timeout, "headers": {**headers, "Content-Type": "multipart/form-data"}},
        )

    def _call(self, send: _Send, context: CallContext) -> Mapping[str, Any]:
        """One attempt: the answer of `send`, as a JSON object that is not an error."""
        context.cancellation.check()
        if context.deadline.has_passed():
            raise ApiTimeoutError(f"The API did not answer within {context.deadline.limit}.")
        try:
            with self._transport.cancelled_by(context.cancellation):
                response = send(_timeout(context.deadline.remaining_seconds()), context.headers)
        except openai.OpenAIError as error:
            raise from_client_error(error, self._secrets, host=self._host) from None
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            raise ApiFailedError("The API's answer is not JSON.") from None
        if failure := failure_in_answer(answer, self._secrets):
            raise failure
        if not isinstance(answer, dict):
            raise ApiFailedError("The API's answer is JSON, but not an object.")
        return answer


def _timeout(remaining_seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(
        remaining_seconds,
        connect=min(CONNECT_TIMEOUT_SECONDS, remaining_seconds),
        write=min(WRITE_TIMEOUT_SECONDS, remaining_seconds),
    )
