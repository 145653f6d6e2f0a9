"""Calls of the API: failures of every kind become our errors, and what waiting may cure is tried again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.loopback import Conversation, Loopback, Peer, serve

from transcriber.api.backend import CallContext
from transcriber.api.client import GenerativeApi
from transcriber.api.error_mapping import retry_after_seconds
from transcriber.api.request_body import StreamedBody
from transcriber.deadline import Deadline
from transcriber.errors import (
    ApiError,
    ApiFailedError,
    ApiRefusedError,
    ApiTimeoutError,
    AudioTooLargeError,
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
        (405, ApiRefusedError, 1),
        (408, ApiRefusedError, 1),
        (413, AudioTooLargeError, 1),
        (415, ApiRefusedError, 1),
        (422, ApiRefusedError, 1),
        (429, RateLimitedError, MAX_ATTEMPTS),
        (500, ApiFailedError, MAX_ATTEMPTS),
        (502, ApiFailedError, MAX_ATTEMPTS),
        (503, ApiFailedError, MAX_ATTEMPTS),
        (504, ApiTimeoutError, MAX_ATTEMPTS),
    ],
)
def test_statuses(shape: Any, status: int, error: type[TranscriberError], attempts: int) -> None:
    """Each status becomes its error with the API's own words, whichever shape these have, after its retries."""
    with serve(lambda peer: peer.answer(shape("it went wrong"), status=f"{status} X")) as server:
        with pytest.raises(error, match="it went wrong"):
            post(server)
        assert len(server.requests) == attempts


@pytest.mark.parametrize("status", [404, 422])
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
        (error_body("slow down", code=429), RateLimitedError),
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


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0),
        ("999999", 3600),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 2024 00:00:07 GMT", 7),
        ("Mon, 01 Jan 2024 00:00:07", None),
        ("Mon, 20 Nov 99999999999999999999 10:00:00 GMT", None),
        ("Sun, 31 Dec 2023 23:59:59 GMT", 0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """Retry-After is a number of seconds or a date, bounded, and anything else is no word at all."""
    assert retry_after_seconds(header, now=datetime(2024, 1, 1, tzinfo=UTC)) == seconds
