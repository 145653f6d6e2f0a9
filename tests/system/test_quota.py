"""One request whose audio is more than a minute's quota: it is answered, and paid for once.

Ten minutes against 180 audio seconds a short minute; with --all, forty-five against the documented quota in real time.
"""

import os
from typing import get_args

import pytest
import requests
from support.loopback import serve

from emulator.generative.quota import QuotaOptions, RateLimitHeaders
from emulator.local_platform import LocalPlatform, PlatformOptions
from soak_run.hours import hours

REQUEST_SECONDS = 300


def check_is_paid_once(minutes: float, quota: QuotaOptions, *, real_time_factor: float, **settings: str) -> None:
    [recording] = hours(1, seconds=minutes * 60, seed=1)
    options = PlatformOptions(recogniser="markers", real_time_factor=real_time_factor, quota=quota)
    environment = {"PATH": os.environ["PATH"], "ALLOWED_PRIVATE_HOSTS": "127.0.0.1", **settings}
    with (
        serve(lambda peer: peer.answer(recording.body)) as server,
        LocalPlatform(options, environment) as platform,
    ):
        answer = requests.post(platform.function.url, json={"url": f"{server.url}/a.mp3"}, timeout=REQUEST_SECONDS)
        assert answer.status_code == 200, answer.text
        assert answer.json()["text"].lower().replace(".", "") == recording.words
        assert platform.apis is not None
        state = platform.apis.quota()
        paid = [call["audio"]["sha256"] for call in platform.apis.requests() if call["audio"] and call["status"] == 200]
    assert len(paid) == len(set(paid)) == state["paid"]["calls"]
    assert state["paid"]["audio_seconds"] == pytest.approx(recording.seconds, rel=0.02)
    assert state["refused"]["calls"] > 0


@pytest.mark.parametrize("headers", get_args(RateLimitHeaders))
def test_quota_is_waited_out(headers: RateLimitHeaders) -> None:
    """Whatever a refusal says of its end, a request over the quota waits for the next minute."""
    quota = QuotaOptions(audio_seconds_per_minute=180, minute_seconds=5.0, rate_limit_headers=headers)
    check_is_paid_once(10, quota, real_time_factor=0.001, CHUNK_MINUTES="1")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("headers", get_args(RateLimitHeaders))
def test_documented_quota_in_real_time(headers: RateLimitHeaders) -> None:
    """With the documented quota and default settings, a request for 45 minutes is answered within its time."""
    check_is_paid_once(45, QuotaOptions(rate_limit_headers=headers), real_time_factor=0.02)
