"""Calls of the API: failures of every kind become our errors, and what waiting may cure is tried again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.loopback import Conversation, Loopback, Peer, serve

from transcriber.api.backend import CallContext
from transcriber.api.client import GenerativeApi
from transcriber.api.request_body import StreamedBody
from transcriber.deadline import Deadline
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
    SourceFailedError,
    TranscriberError,
)
from transcriber.retry import MAX_ATTEMPTS, RetryPolicy
from transcriber.settings import Settings

KEY = "11111111-2222-3333-4444-555555555555"


def api(server: Loopback) -> GenerativeApi:
    return GenerativeApi(Settings(api_key=KEY, api_url=server.url), retry=RetryPolicy(sleep=lambda _: None))


def post(server: Loopback, *pieces: bytes, seconds: float = 60) -> Any:
    pieces = pieces or (b"{}",)

    def body() -> StreamedBody:
        return StreamedBody("application/json", sum(map(len, pieces)), iter(pieces), close=lambda: None)

    return api(server).post("/chat/completions", body, dict, context=CallContext(Deadline(seconds)))


def error_body(message: str, **fields: object) -> bytes:
    return json.dumps({"error": {"message": message, "type": "x", "param": None, "code": None, **fields}}).encode()


def flat_error_body(message: str, **fields: object) -> bytes:
    return json.dumps({"object": "error", "message": message, "param": None, "code": None, **fields}).encode()


@pytest.mark.parametrize("shape", [error_body, flat_error_body])
@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (400, ApiRefusedError, 1),
        (401, SettingsError, 1),
        (403, SettingsError, 1),
        (404, SettingsError, 1),
        (402, BudgetExhaustedError, 1),
        (405, AccountRefusedError, 1),
        (408, ApiTimeoutError, MAX_ATTEMPTS),
        (409, ApiFailedError, MAX_ATTEMPTS),
        (410, AccountRefusedError, 1),
        (413, AudioTooLargeError, 1),
        (415, ApiRefusedError, 1),
        (418, AccountRefusedError, 1),
        (421, ApiFailedError, MAX_ATTEMPTS),
        (422, ApiRefusedError, 1),
        (423, ApiFailedError, MAX_ATTEMPTS),
        (425, ApiFailedError, MAX_ATTEMPTS),
        (451, AccountRefusedError, 1),
        (499, ApiFailedError, MAX_ATTEMPTS),
        (500, ApiFailedError, MAX_ATTEMPTS),
        (502, ApiFailedError, MAX_ATTEMPTS),
        (503, ApiFailedError, MAX_ATTEMPTS),
        (504, ApiTimeoutError, MAX_ATTEMPTS),
    ],
)
def test_statuses(shape: Any, status: int, error: type[TranscriberError], attempts: int) -> None:
    """Each status becomes its error with the API's own words, whichever shape these have, after its retries."""
    with serve(lambda peer: peer.answer(shape("it went wrong"), status=f"{status} X")) as server:
        with pytest.raises(error, match="it went wrong") as caught:
            post(server)
        assert type(caught.value) is error
        assert len(server.requests) == attempts


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize(
    "body",
    [
        error_body("The model `x` does not exist."),
        error_body("gone", code="model_not_found"),
        error_body("no", param="model"),
    ],
)
def test_missing_model(status: int, body: bytes) -> None:
    """A model that does not exist is told by either status and from a route that does not exist."""
    with serve(lambda peer: peer.answer(body, status=f"{status} X")) as server, pytest.raises(ModelNotFoundError):
        post(server)


@pytest.mark.parametrize(
    "message",
    [
        "temperature is not supported by this model",
        "Input should be a valid model",
        "The model failed to load the audio",
    ],
)
def test_other_faults_that_speak_of_the_model(message: str) -> None:
    """A refusal that only mentions the model is not taken for a model that does not exist."""
    with (
        serve(lambda peer: peer.answer(error_body(message), status="422 X")) as server,
        pytest.raises(ApiRefusedError, match="The API answered 422"),
    ):
        post(server)


@pytest.mark.parametrize(
    ("status", "body", "error", "param"),
    [
        (422, error_body("temperature must be below 1"), AccountRefusedError, "temperature"),
        (400, error_body("bad value", param="top_p"), AccountRefusedError, "top_p"),
        (400, error_body("Unknown 'language' xx"), AccountRefusedError, "language"),
        (422, b'{"detail": [{"loc": ["body", "max_tokens"], "msg": "too large"}]}', AccountRefusedError, "max_tokens"),
        (400, error_body("max_tokens exceeds the model's context length"), ApiRefusedError, None),
        (400, error_body("no language was recognised in the audio"), ApiRefusedError, None),
        (422, b'{"detail": [{"loc": ["body", "file"], "msg": "broken"}]}', ApiRefusedError, None),
        (400, b'{"detail": [3]}', ApiRefusedError, None),
        (422, error_body("Your account is suspended"), AccountRefusedError, None),
        (400, error_body("The project has no access"), AccountRefusedError, None),
        (403, error_body("The monthly budget of the project is used up"), BudgetExhaustedError, None),
        (429, error_body("no", code="insufficient_quota"), BudgetExhaustedError, None),
        (422, error_body("You are out of credits"), BudgetExhaustedError, None),
    ],
)
def test_what_a_refusal_is_about(status: int, body: bytes, error: type[TranscriberError], param: str | None) -> None:
    """A refusal that names an option, the account or a budget is not about the recording, and is not tried again."""
    with serve(lambda peer: peer.answer(body, status=f"{status} X")) as server:
        with pytest.raises(error) as caught:
            post(server)
        assert len(server.requests) == 1
    assert type(caught.value) is error
    assert caught.value.param == param


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"x-ratelimit-reset-requests": "1ms"}])
def test_quota_is_waited_for(headers: dict[str, str]) -> None:
    """A call is refused more often than any failure is retried, and has its answer all the same."""
    answers = iter(["429 X"] * (2 * MAX_ATTEMPTS))

    def conversation(peer: Peer) -> None:
        status = next(answers, None)
        if status is None:
            peer.answer(b'{"text": "hi"}')
        else:
            peer.answer(b"{}", status=status, **headers)

    with serve(conversation) as server:
        client = GenerativeApi(Settings(api_key=KEY, api_url=server.url, minute_seconds=0.2))
        assert posted(client) == {"text": "hi"}
        assert len(server.requests) == 2 * MAX_ATTEMPTS + 1


def test_quota_that_outlasts_the_time_is_a_429() -> None:
    """When a pause leaves no time for another call, the refusal is the answer, with the time to wait."""
    with serve(lambda peer: peer.answer(b"{}", status="429 X", Retry_After="30")) as server:
        client = GenerativeApi(Settings(api_key=KEY, api_url=server.url))
        for _ in range(2):
            with pytest.raises(RateLimitedError) as caught:
                posted(client, seconds=5)
            assert caught.value.retry_after_seconds == 30
        assert len(server.requests) == 2  # the first call of a request is always tried


def posted(client: GenerativeApi, *, seconds: float = 60) -> Any:
    def body() -> StreamedBody:
        return StreamedBody("application/json", 2, iter([b"{}"]), close=lambda: None)

    return client.post("/x", body, dict, context=CallContext(Deadline(seconds)), audio_seconds=1)


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[]", b'"no"', b"\xff\xfe", b'{"detail": "no"}'])
def test_errors_without_the_usual_shape(body: bytes) -> None:
    """An error whose body is something else is still its error."""
    with (
        serve(lambda peer: peer.answer(body, status="502 Bad Gateway")) as server,
        pytest.raises(ApiFailedError) as caught,
    ):
        post(server)
    assert caught.value.api_status == 502


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (error_body("overloaded", code=503), ApiFailedError),
        (error_body("bad", code=400), ApiRefusedError),
        (error_body("failed"), ApiFailedError),
        (flat_error_body("failed"), ApiFailedError),
        (b'{"error": "failed"}', ApiFailedError),
        (b"garbage", ApiFailedError),
        (b"", ApiFailedError),
        (b"[1]", ApiFailedError),
        (b"\xff\xfe", ApiFailedError),
        (b"[" * 100_000, ApiFailedError),
    ],
)
def test_answer_with_status_200_that_is_none(answer: bytes, error: type[ApiError]) -> None:
    """An error or garbage inside a 200 is an error, and is retried by what it says."""
    with serve(lambda peer: peer.answer(answer)) as server:
        with pytest.raises(error):
            post(server)
        assert len(server.requests) == (1 if error is ApiRefusedError else MAX_ATTEMPTS)


def test_message_is_cleaned() -> None:
    """The API's words are shown without the key, payloads, line breaks or internal addresses, and not at length."""
    message = f"Invalid key {KEY} at\n10.2.3.4 for {'A' * 500} " + "word " * 200
    with (
        serve(lambda peer: peer.answer(error_body(message), status="401 X")) as server,
        pytest.raises(SettingsError) as caught,
    ):
        post(server)
    shown = caught.value.message
    assert shown.startswith("GENERATIVE_API_KEY: ")
    assert KEY not in shown
    assert "10.2.3.4" not in shown
    assert "AAAA" not in shown
    assert "\n" not in shown
    assert len(shown) < 400


def test_success_after_failures() -> None:
    """A call that succeeds at last gives its answer, and each try has its own whole body."""
    conversations: Iterator[Conversation] = iter(
        [Peer.reset, lambda peer: peer.answer(status="500 X"), lambda peer: peer.answer(b'{"text": "hi"}')]
    )

    def conversation(peer: Peer) -> None:
        next(conversations)(peer)

    with serve(conversation) as server:
        assert post(server, b'{"a":', b" 1}") == {"text": "hi"}
        assert len(server.requests) == 3


def test_length_is_announced() -> None:
    """A body that is made while it is sent goes out with its length, never in chunks, and with the key."""
    with serve(lambda peer: peer.answer(b"{}")) as server:
        post(server, b"12", b"34")
    (request,) = (request.lower() for request in server.requests)
    assert b"content-length: 4" in request
    assert b"transfer-encoding" not in request
    assert b"authorization: bearer " + KEY.encode() in request


@pytest.mark.parametrize(
    "conversation",
    [Peer.reset, lambda peer: peer.answer(b'{"te', Content_Length="100"), lambda peer: peer.send(b"nonsense\r\n\r\n")],
    ids=["reset", "cut", "nonsense"],
)
def test_broken_connections(conversation: Any) -> None:
    """A connection that breaks before or within the answer is retried, and then a failure of the API."""
    with serve(conversation) as server:
        with pytest.raises(ApiFailedError):
            post(server)
        assert len(server.requests) == MAX_ATTEMPTS


def test_silence_ends_with_the_time_limit() -> None:
    """An API that does not answer is given up when the time is up."""
    with serve(Peer.wait) as server, pytest.raises(ApiTimeoutError):
        post(server, seconds=0.5)


def test_no_call_without_time() -> None:
    """When no time is left, nothing is sent."""
    with serve(Peer.wait) as server:
        with pytest.raises(ApiTimeoutError, match="TIME_LIMIT"):
            post(server, seconds=0)
        assert server.requests == []


def test_failure_of_the_source_is_not_the_apis() -> None:
    """A source that fails during the upload is reported as what it is, and its request is not completed."""

    def failing() -> StreamedBody:
        def pieces() -> Any:
            yield b"begin"
            raise SourceFailedError("The download broke off before its end.")

        return StreamedBody("application/json", 100, pieces(), close=lambda: None)

    with serve(Peer.wait) as server, pytest.raises(SourceFailedError):
        api(server).post("/x", failing, dict, context=CallContext(Deadline(5)))


def test_early_answer_that_is_no_refusal_is_none() -> None:
    """A success that comes before the whole recording was sent is no transcript of it, and is not taken for one."""

    def hasty(peer: Peer) -> None:
        peer.answer(b'{"text": "And so"}')
        peer.wait()

    def body() -> StreamedBody:
        return StreamedBody("application/json", 10**9, (bytes(10**6) for _ in range(1000)), close=lambda: None)

    with serve(hasty, read_body=False) as server, pytest.raises(ApiFailedError, match="before it had received"):
        GenerativeApi(Settings(api_key=KEY, api_url=server.url), retry=RetryPolicy(max_attempts=1)).post(
            "/x", body, dict, context=CallContext(Deadline(30))
        )


def test_redirect_is_not_followed() -> None:
    """The key and the audio go to the address that was set, and nowhere else."""
    with serve(lambda peer: peer.answer(status="307 X", Location="http://127.0.0.1:1/")) as server:
        with pytest.raises(SettingsError) as caught:
            post(server)
        assert len(server.requests) == 1
    assert caught.value.variable == "GENERATIVE_API_URL"


def test_models() -> None:
    """The names of the models are read from the list."""
    listing = b'{"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b"}]}'
    with serve(lambda peer: peer.answer(listing)) as server:
        assert api(server).models(deadline=Deadline(5)) == {"a", "b"}
        assert server.requests[0].startswith(b"GET /models ")
