"""The one retry policy: what is tried again, how often, and after how long."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from transcriber.deadline import Deadline
from transcriber.errors import (
    ApiError,
    ApiFailedError,
    ApiTimeoutError,
    RateLimitedError,
    SourceFailedError,
    SourceTimeoutError,
    TranscriberError,
)

T = TypeVar("T")

# What waiting may cure. Everything else - every other 4xx first of all - would fail the same way again.
RETRIED: tuple[type[TranscriberError], ...] = (
    RateLimitedError,  # 429
    ApiFailedError,  # 5xx, a broken connection, an answer that is none
    ApiTimeoutError,  # 504, no answer in time
    SourceFailedError,  # 5xx of the source, a download that broke off
    SourceTimeoutError,
)

# Five tries with the waits below span about 15 s, which outlasts a restart of a server and most rate-limit windows
# that come without a Retry-After; more would keep an instance busy, and paid for, with nothing.
MAX_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
# Never less than half of the wait, so that a retry is a pause; never the same for all, so that instances spread out.
JITTER = 0.5
# A server that says "at once" gets a pause all the same.
SHORTEST_WAIT_SECONDS = 0.5
# A try that has less time than this would only turn a failure whose cause is known into one that took too long.
SHORTEST_TRY_SECONDS = 1.0


class RetryPolicy:
    """The policy, with a clock and dice that a test may replace; `tell` hears of each failure that is retried.

    Calls that are made at the same time share it: when one is told that there are too many of them, all others that are
    about to begin wait as long, and a little longer each, so that they do not come back all at once.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        dice: Callable[[], float] = random.random,
        tell: Callable[[TranscriberError, float], None] = lambda _error, _wait_seconds: None,
        max_attempts: int = MAX_ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._paused_until = -float("inf")
        self._sleep = sleep
        self._dice = dice
        self._tell = tell
        self._max_attempts = max_attempts

    def __call__(self, attempt: Callable[[], T], *, deadline: Deadline) -> T:
        """The result of `attempt`; its last error when tries or time are used up."""
        for failures in range(1, self._max_attempts + 1):
            self._wait_for_pause(deadline)
            try:
                return attempt()
            except RETRIED as error:
                wait_seconds = self.wait_seconds(error, failures)
                if failures == self._max_attempts or wait_seconds + SHORTEST_TRY_SECONDS > deadline.remaining_seconds():
                    raise
                self._tell(error, wait_seconds)
                if isinstance(error, RateLimitedError):
                    self._paused_until = max(self._paused_until, self._clock() + wait_seconds)
                self._sleep(wait_seconds)
        raise AssertionError  # the last failure was raised above

    def _wait_for_pause(self, deadline: Deadline) -> None:
        """Wait while calls are paused, if there is time for it; without it, the call itself will tell."""
        pause_seconds = self._paused_until - self._clock()
        longest = deadline.remaining_seconds() - SHORTEST_TRY_SECONDS
        if 0 < pause_seconds < longest:
            self._sleep(min(longest, pause_seconds * (1 + JITTER * self._dice())))

    def wait_seconds(self, error: TranscriberError, failures: int) -> float:
        """Seconds to wait after the `failures`-th failure in a row: what `Retry-After` says, otherwise back-off."""
        if isinstance(error, ApiError) and error.retry_after_seconds is not None:
            return max(SHORTEST_WAIT_SECONDS, error.retry_after_seconds)
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (failures - 1))
        return longest * (1 - JITTER * self._dice())
