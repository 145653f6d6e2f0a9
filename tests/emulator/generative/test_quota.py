"""Tests of the quota: what is refused, with which headers, and what is counted."""

import threading
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from support.generative_requests import VOXTRAL, WHISPER, Caller, chat_body
from support.recordings import silence

from emulator.generative.durations import duration_text
from emulator.generative.minute import MinuteForm
from emulator.generative.quota import (
    AUDIO_SECONDS_PER_MINUTE,
    CALLS_AT_ONCE,
    REQUESTS_PER_MINUTE,
    TOKENS_PER_MINUTE,
    LimitName,
    Quota,
    QuotaExceededError,
    QuotaOptions,
    RateLimitHeaders,
)
from emulator.generative.server import GenerativeServer

UNLIMITED: dict[str, Any] = {
    "audio_seconds_per_minute": None,
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "calls_at_once": None,
}


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refusal(quota: Quota, model: str = WHISPER, audio_seconds: float = 1.0, tokens: int = 1) -> QuotaExceededError:
    with pytest.raises(QuotaExceededError) as caught:
        quota.admit(model, audio_seconds=audio_seconds, tokens=tokens, size_bytes=10)
    return caught.value


def test_the_documented_quota() -> None:
    """By default the limits are those of an organisation with a payment method."""
    limits = (AUDIO_SECONDS_PER_MINUTE, REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE, CALLS_AT_ONCE)
    assert limits == (1800, 300, 200_000, 100)
    assert QuotaOptions() == QuotaOptions(*limits)


@pytest.mark.parametrize(
    ("limit", "options"),
    [
        ("audio_seconds", {"audio_seconds_per_minute": 600}),
        ("requests", {"requests_per_minute": 2}),
        ("tokens", {"tokens_per_minute": 200}),
        ("calls_at_once", {"calls_at_once": 2}),
    ],
)
def test_each_limit_refuses(limit: LimitName, options: dict[str, Any]) -> None:
    """Two calls fill each limit; the third is refused by it, and uses nothing up."""
    quota = Quota(QuotaOptions(**{**UNLIMITED, **options}))
    for _ in range(2):
        quota.admit(VOXTRAL, audio_seconds=300, tokens=100, size_bytes=10)
    before = quota.state()
    assert refusal(quota, VOXTRAL, audio_seconds=300, tokens=100).limit == limit
    after = quota.state()
    assert after.accepted == before.accepted
    assert (after.refused.calls, after.refused.size_bytes, after.refused.audio_seconds) == (1, 10, 300)
    assert after.refused_by == {limit: 1}
    assert after.calls_at_once == 2


def test_each_model_has_its_own_minute() -> None:
    """Audio seconds and requests are limited for each model; calls at once for all together."""
    quota = Quota(QuotaOptions(audio_seconds_per_minute=300, requests_per_minute=1, calls_at_once=2))
    quota.admit(VOXTRAL, audio_seconds=300, tokens=1, size_bytes=10)
    whisper = quota.admit(WHISPER, audio_seconds=300, tokens=1, size_bytes=10)
    assert refusal(quota, "another-model").limit == "calls_at_once"
    quota.finish(whisper, paid=True)
    quota.admit("another-model", audio_seconds=300, tokens=1, size_bytes=10)


def test_a_whisper_has_no_tokens() -> None:
    """Tokens are limited for chat models alone, and their output counts once it is there."""
    quota = Quota(QuotaOptions(tokens_per_minute=100))
    quota.admit(WHISPER, audio_seconds=1, tokens=1000, size_bytes=10)
    first = quota.admit(VOXTRAL, audio_seconds=1, tokens=90, size_bytes=10)
    quota.finish(first, paid=True, output_tokens=10)
    assert refusal(quota, VOXTRAL, tokens=1).limit == "tokens"
    assert quota.state().models[WHISPER].tokens is None


@pytest.mark.parametrize("form", get_args(MinuteForm))
def test_a_minute_later_the_quota_is_there_again(form: MinuteForm) -> None:
    """In each form, after the scaled minute the whole quota can be used again."""
    clock = Clock()
    quota = Quota(QuotaOptions(minute_form=form, minute_seconds=6.0), clock=clock)
    for _ in range(2):
        for _ in range(6):
            quota.finish(quota.admit(WHISPER, audio_seconds=300, tokens=1, size_bytes=10), paid=True)
        assert refusal(quota).limit == "audio_seconds"
        clock.now += 6
    assert quota.state().paid.audio_seconds == 3600


def test_the_documented_headers() -> None:
    """A 429 carries limit, remaining and reset of requests and tokens, none of audio seconds, and no Retry-After."""
    quota = Quota(QuotaOptions(audio_seconds_per_minute=300, minute_form="token-bucket"), clock=Clock())
    quota.admit(VOXTRAL, audio_seconds=300, tokens=50_000, size_bytes=10)
    assert refusal(quota, VOXTRAL).headers == {
        "x-ratelimit-limit-requests": "300",
        "x-ratelimit-remaining-requests": "299",
        "x-ratelimit-reset-requests": "200ms",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "150000",
        "x-ratelimit-reset-tokens": "15s",
    }
    quota.admit(WHISPER, audio_seconds=300, tokens=1, size_bytes=10)
    assert not any("tokens" in name for name in refusal(quota, WHISPER).headers)


def test_the_choice_of_headers() -> None:
    """`none` has no header, and `retry-after` states the whole seconds after which the call fits."""
    clock = Clock()
    choices: dict[RateLimitHeaders, dict[str, str]] = {"none": {}, "retry-after": {"Retry-After": "10"}}
    for kind, expected in choices.items():
        options = QuotaOptions(audio_seconds_per_minute=1800, minute_form="token-bucket", rate_limit_headers=kind)
        quota = Quota(options, clock=clock)
        quota.admit(WHISPER, audio_seconds=1800, tokens=1, size_bytes=10)
        headers = refusal(quota, audio_seconds=299).headers
        assert {name: value for name, value in headers.items() if name == "Retry-After"} == expected
        assert bool(headers) == (kind != "none")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0349, "35ms"), (0.25, "250ms"), (1, "1s"), (12.5, "12.5s"), (60, "1m0s"), (90, "1m30s")],
)
def test_durations(seconds: float, text: str) -> None:
    """Durations have the form of the documentation's examples."""
    assert duration_text(seconds) == text


def test_parallel_calls_never_exceed_the_quota() -> None:
    """Fifty threads at once get exactly the quota, and every other call is counted as refused."""
    quota = Quota(QuotaOptions(minute_seconds=3600.0, minute_form="sliding"))
    start = threading.Barrier(50)
    accepted = []

    def call() -> None:
        start.wait()
        for _ in range(20):
            try:
                admission = quota.admit(WHISPER, audio_seconds=9, tokens=1, size_bytes=10)
            except QuotaExceededError:
                continue
            accepted.append(admission)
            quota.finish(admission, paid=True)

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = quota.state()
    assert len(accepted) == 200
    assert (state.paid.audio_seconds, state.refused.calls, state.calls_at_once) == (1800, 800, 0)


@pytest.fixture(scope="module")
def server() -> Iterator[GenerativeServer]:
    options = QuotaOptions(audio_seconds_per_minute=25, minute_seconds=3600, minute_form="sliding")
    with GenerativeServer(recogniser="stand-in", quota=options) as running:
        yield running


@pytest.fixture
def caller(server: GenerativeServer) -> Caller:
    server.clear()
    return Caller(server.url, server.key)


def test_a_call_over_the_quota_is_a_429(server: GenerativeServer, caller: Caller) -> None:
    """Both APIs refuse in their own format, with the documented headers; what was accepted is counted as paid."""
    audio = silence(10)
    for model, call in ((WHISPER, caller.transcribe), (VOXTRAL, lambda audio: caller.chat(chat_body(audio)))):
        assert [call(audio).status_code for _ in range(2)] == [200, 200]
        refused = call(audio)
        assert refused.status_code == 429
        body = refused.json()
        assert (body if model == WHISPER else body["error"])["type"] == "rate_limit_error"
        assert refused.headers["x-ratelimit-remaining-requests"] == "298"
        assert "Retry-After" not in refused.headers
    state = server.quota()
    assert (state["paid"]["audio_seconds"], state["paid"]["calls"]) == (40, 4)
    assert (state["refused"]["calls"], state["refused_by"]) == (2, {"audio_seconds": 2})
    assert state["refused"]["size_bytes"] > 2 * len(audio)
    assert state["models"][WHISPER]["audio_seconds"]["used"] == 20
    kinds = [(event["event"], event["model"]) for event in server.quota_events()]
    once = ["accepted", "paid", "accepted", "paid", "refused"]
    assert kinds == [(kind, model) for model in (WHISPER, VOXTRAL) for kind in once]


def test_only_answers_are_paid(server: GenerativeServer, caller: Caller) -> None:
    """A call that a fault ends, and one that is invalid, use nothing up."""
    server.fault("500")
    assert caller.transcribe(silence(10)).status_code == 500
    assert caller.transcribe(silence(10), temperature="9").status_code == 400
    assert server.quota()["accepted"]["calls"] == 0
    assert caller.transcribe(silence(10)).status_code == 200


def test_without_a_quota_nothing_is_refused() -> None:
    """A server has no limit unless it gets one, and records its calls all the same."""
    with GenerativeServer(recogniser="stand-in") as running:
        caller = Caller(running.url, running.key)
        assert [caller.transcribe(silence(600)).status_code for _ in range(4)] == [200] * 4
        assert running.quota()["paid"]["audio_seconds"] == 2400
        assert running.quota()["models"][WHISPER]["audio_seconds"] is None
