"""The limiter: threads of an instance start calls as the quota and the time of their requests allow."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from transcriber.api.backend import CallContext
from transcriber.api.call_limiter import CallLimiter
from transcriber.cancellation import Cancellation, CancelledError
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ApiTimeoutError, RateLimitedError
from transcriber.settings import Settings

MINUTE = 0.4


def limiter(*, parallel_calls: int = 8, minute_seconds: float = MINUTE) -> CallLimiter:
    return CallLimiter(Settings(api_key="key", parallel_calls=parallel_calls, minute_seconds=minute_seconds))


def fail() -> str:
    raise ApiFailedError("500")


def test_estimate_before_and_after_the_first_call() -> None:
    """Before the first call, a tenth of the audio's length, or a quarter of the time; then what calls really took."""
    now = [0.0]
    limited = CallLimiter(Settings(api_key="key", time_limit_seconds=60), clock=lambda: now[0])
    assert limited.expected_seconds(100) == 10
    assert limited.expected_seconds(300) == 15

    def call() -> None:
        now[0] += 12

    for _ in range(20):
        limited.call(call, audio_seconds=300, context=CallContext(Deadline(1000)))
    assert limited.expected_seconds(300) == pytest.approx(12, rel=0.1)
    assert limited.expected_seconds(600) == pytest.approx(24, rel=0.1)
    # The API works on windows of 30 s, so that a second is no cheaper.
    assert limited.expected_seconds(1) == limited.expected_seconds(30)


def test_failed_calls_do_not_count_for_the_estimate() -> None:
    """A call that failed at once says nothing about how long one takes."""
    limited = limiter()
    before = limited.expected_seconds(300)
    with pytest.raises(ApiFailedError):
        limited.call(fail, audio_seconds=300, context=CallContext(Deadline(1000)))
    assert limited.expected_seconds(300) == before


def test_no_call_starts_that_does_not_end_in_time() -> None:
    """With less time than a call takes none is started, but for the first one of a request."""
    limited, calls = limiter(), list[int]()
    context = CallContext(Deadline(20))
    assert limited.call(lambda: calls.append(1), audio_seconds=3000, context=context) is None
    limited._seconds.add(100, 300)
    with pytest.raises(ApiTimeoutError, match="TIME_LIMIT"):
        limited.call(lambda: calls.append(2), audio_seconds=300, context=context)
    limited.call(lambda: calls.append(3), audio_seconds=300, context=CallContext(Deadline(20)))
    with pytest.raises(ApiTimeoutError):
        limited.call(lambda: calls.append(4), audio_seconds=300, context=CallContext(Deadline(0)))
    assert calls == [1, 3]


def test_refused_call_is_repeated_until_its_time_is_over() -> None:
    """As many refusals as there are do not end a call, but the time does: with the refusal, and what it waits for."""
    limited, calls = limiter(), list[float]()

    def refused() -> None:
        calls.append(time.monotonic())
        raise RateLimitedError("429: slow down")

    with pytest.raises(RateLimitedError, match="slow down") as caught:
        limited.call(refused, audio_seconds=1, context=CallContext(Deadline(2)))
    assert len(calls) > 6
    assert caught.value.retry_after_seconds is not None
    assert 0 < caught.value.retry_after_seconds < MINUTE


def test_one_probes_while_the_others_wait() -> None:
    """After a refusal of eight threads' calls, one call at a time is made until one is accepted."""
    limited = limiter(minute_seconds=4)
    lock, in_flight, most, refused_until = threading.Lock(), [0], [0], time.monotonic() + 1.5
    refusals = [0]

    def attempt() -> str:
        with lock:
            in_flight[0] += 1
            if refusals[0] > 2:
                most[0] = max(most[0], in_flight[0])
        try:
            time.sleep(0.02)
            if time.monotonic() < refused_until:
                refusals[0] += 1
                raise RateLimitedError("429")
            return "done"
        finally:
            with lock:
                in_flight[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        context = CallContext(Deadline(60))
        done = list(pool.map(lambda _: limited.call(attempt, audio_seconds=1, context=context), range(8)))
    assert done == ["done"] * 8
    assert refusals[0] <= 6
    assert most[0] <= 2


def test_cancellation_wakes_a_waiting_call() -> None:
    """A thread that waits for a pause to end does not outlast its request."""
    limited, cancellation = limiter(minute_seconds=60), Cancellation()
    started = threading.Event()

    def refused() -> None:
        started.set()
        raise RateLimitedError("429", retry_after_seconds=30)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            limited.call, refused, audio_seconds=1, context=CallContext(Deadline(600), cancellation=cancellation)
        )
        started.wait(10)
        cancellation.cancel()
        with pytest.raises(CancelledError):
            waiting.result(timeout=5)
