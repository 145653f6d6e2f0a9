"""One request whose audio is more than a minute's quota: it is answered, and paid for once.

Forty-five minutes against 1,800 audio seconds a minute, in minutes of seconds, and with --all in real ones.
"""

import os
from typing import get_args

import pytest
import requests
from support.loopback import serve

from emulator.generative.minute import MinuteForm
from emulator.generative.quota import MINUTE_SECONDS, QuotaOptions, RateLimitHeaders
from emulator.local_platform import LocalPlatform, PlatformOptions
from soak_run.hours import hours

AUDIO_SECONDS = 45 * 60.0
REQUEST_SECONDS = 300


def check_is_paid_once(quota: QuotaOptions, *, real_time_factor: float) -> None:
    [recording] = hours(1, seconds=AUDIO_SECONDS, seed=1)
    options = PlatformOptions(recogniser="markers", real_time_factor=real_time_factor, quota=quota)
    environment = {"PATH": os.environ["PATH"], "ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}
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
    assert state["paid"]["audio_seconds"] == pytest.approx(AUDIO_SECONDS, rel=0.01)
    assert state["refused"]["calls"] > 0


@pytest.mark.parametrize("form", get_args(MinuteForm))
def test_quota_is_waited_out(form: MinuteForm) -> None:
    """Whatever form the minute has, a request over its quota waits for the next one."""
    check_is_paid_once(
        QuotaOptions(minute_seconds=3.0, minute_form=form, rate_limit_headers="none"), real_time_factor=0.001
    )


@pytest.mark.parametrize("headers", get_args(RateLimitHeaders))
def test_headers_of_refusals(headers: RateLimitHeaders) -> None:
    """Whatever a refusal says of its end, the request waits for it."""
    check_is_paid_once(QuotaOptions(minute_seconds=3.0, rate_limit_headers=headers), real_time_factor=0.001)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("headers", get_args(RateLimitHeaders))
def test_quota_in_real_time(headers: RateLimitHeaders) -> None:
    """With the documented quota and default settings, a request for 45 minutes is answered within its time."""
    check_is_paid_once(QuotaOptions(minute_seconds=MINUTE_SECONDS, rate_limit_headers=headers), real_time_factor=0.02)
