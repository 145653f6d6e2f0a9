"""The limit that theory gives, and the links that are meant to set it."""

import time

from bench_suite.links import LIMITED, UNLIMITED, Pace


def test_limit_is_the_slower_transfer_and_then_the_latency() -> None:
    """Both transfers run at once, and the answer cannot begin before the end of the upload."""
    assert LIMITED.limit_seconds(25_000_000, 25_000_000) == 25 / 20 + 0.2
    assert LIMITED.limit_seconds(25_000_000, 33_333_336) == 33_333_336 / 20e6 + 0.2
    assert UNLIMITED.limit_seconds(25_000_000, 25_000_000) is None


def test_a_link_is_never_faster_than_its_speed() -> None:
    """However late each sleep is, and after a pause, a link carries no more than its speed and a small burst."""
    pace = Pace(1e6)
    pace.pass_on(1_000)
    time.sleep(0.05)
    started = time.monotonic()
    for _ in range(20):
        pace.pass_on(5_000)
    assert time.monotonic() - started >= 0.1 - 0.005
