"""Callbacks: signed so that stock receivers verify them, sent again under one id, never followed anywhere."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from support.loopback import Loopback, Peer, serve

from transcriber.deadline import Deadline
from transcriber.delivery.webhook import MAX_ATTEMPTS, WebhookSender
from transcriber.delivery.webhook_signature import read_secret, sign
from transcriber.errors import CallbackFailedError, CallbackRefusedError, RequestError, SettingsError
from transcriber.net.ssrf_guard import SsrfGuard
from transcriber.retry import RetryPolicy
from transcriber.settings import AllowedHost
from transcriber.sources.url import Downloader

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = '{"text": "Grüße"}'


def sender(*, allowed: bool = True) -> WebhookSender:
    guard = SsrfGuard([AllowedHost(name="127.0.0.1")] if allowed else [])
    retry = RetryPolicy(sleep=lambda _: None, max_attempts=MAX_ATTEMPTS)
    return WebhookSender(guard, Downloader(guard), read_secret(SECRET), retry=retry)


def send(receiver: Loopback, seconds: float = 10) -> None:
    url = f"{receiver.url}/done?x=1"
    sender().send(url, BODY, "application/json", message_id="msg_1", deadline=Deadline(seconds))


def received(request: bytes) -> tuple[str, dict[str, str]]:
    head, _, body = request.partition(b"\r\n\r\n")
    return body.decode(), dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])


def test_stock_library_verifies() -> None:
    """The standard's own library verifies what is sent, and refuses it changed in any part."""
    with serve(Peer.answer) as receiver:
        send(receiver)
    (request,) = receiver.requests
    assert request.startswith(b"POST /done?x=1 ")
    body, headers = received(request)
    assert Webhook(SECRET).verify(body, headers) == {"text": "Grüße"}
    for changed in (body + " ", body.replace("text", "test")):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": "msg_2"})


def test_signature_is_the_standards() -> None:
    """The signature is the one that the standard's library makes of the same."""
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    ours = sign(read_secret(SECRET), "msg_1", int(at.timestamp()), BODY.encode())
    assert ours == Webhook(SECRET).sign("msg_1", at, BODY)


@pytest.mark.parametrize("status", ["500 X", "503 X", "429 X", "408 X"])
def test_sent_again_under_the_same_id(status: str) -> None:
    """A receiver that fails at first gets the same message again, by its id."""
    statuses = iter([status, "204 No Content"])
    with serve(lambda peer: peer.answer(status=next(statuses))) as receiver:
        send(receiver)
    ids = {received(request)[1]["webhook-id"] for request in receiver.requests}
    assert (len(receiver.requests), ids) == (2, {"msg_1"})


def redirect(peer: Peer) -> None:
    peer.answer(status="302 Found", Location="http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("conversation", "requests"),
    [
        (lambda peer: peer.answer(status="500 X"), MAX_ATTEMPTS),
        (Peer.reset, MAX_ATTEMPTS),
        (lambda peer: peer.answer(status="400 X"), 1),
        (redirect, 1),
    ],
    ids=["fails", "resets", "refuses", "redirects"],
)
def test_receiver_that_does_not_take_it(conversation: Any, requests: int) -> None:
    """What may be cured is tried a few times, everything else once; redirects are not followed."""
    with serve(conversation) as receiver, pytest.raises(CallbackFailedError) as caught:
        send(receiver, seconds=60)
    assert len(receiver.requests) == requests
    assert isinstance(caught.value, CallbackRefusedError) == (requests == 1)
    assert "127.0.0.1" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://169.254.42.42/", "ftp://example.com/", "http://u:p@example.com/", "http://[::1"],
)
def test_addresses_that_are_refused(url: str) -> None:
    """An address that is not public, or none, is refused before anything is sent, as the callback's."""
    with pytest.raises(RequestError) as caught:
        sender(allowed=False).check(url)
    assert caught.value.param == "callback"


@pytest.mark.parametrize(
    "secret",
    [None, "c2VjcmV0", "whsec_", "whsec_short", "whsec_***", SECRET.removeprefix("whsec_")],
)
def test_secret_that_is_none(secret: str | None) -> None:
    """A secret that is missing, malformed or short is an error in the settings, which does not repeat it."""
    with pytest.raises(SettingsError) as caught:
        read_secret(secret)
    assert caught.value.variable == "CALLBACK_SECRET"
    assert not secret or secret not in caught.value.message.replace("whsec_ followed", "")
