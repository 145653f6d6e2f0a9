"""The one retry policy: which failures are retried, how often, and after how long."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from transcriber.cancellation import Cancellation
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

# Failures that waiting may cure. Everything else, above all every other 4xx, would fail the same way again.
RETRIED: tuple[type[TranscriberError], ...] = (
    RateLimitedError,  # 429
    ApiFailedError,  # 5xx, a broken connection, an answer that cannot be read
    ApiTimeoutError,  # 504, no answer in time
    SourceFailedError,  # 5xx of the source, a download that broke off
    SourceTimeoutError,
)

# Five attempts with the waits below span about 15 s, which outlasts a server's restart and most rate-limit windows that
# come without a Retry-After; more would keep an instance busy, and paid for, without a result.
MAX_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
# At least half of the wait, so that a retry is a pause; a random share of the rest, so that instances spread out.
JITTER = 0.5
# A server that asks for a retry at once gets a pause all the same.
SHORTEST_WAIT_SECONDS = 0.5
# With less time than this, another attempt would only turn a failure whose cause is known into a timeout.
SHORTEST_TRY_SECONDS = 1.0


class RetryPolicy:
    """The policy; a test replaces `sleep`, `random` and `clock`.

    Calls that are made at the same time share one policy: when one of them is rate-limited, all others that are about
    to begin wait as long, and a random while longer, so that they do not return all at once.
    """

    def __init__(
        self,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        sleep: Callable[[float], None] | None = None,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_attempts = max_attempts
        self._replaced_sleep = sleep
        self._random = random
        self._clock = clock
        self._paused_until = -float("inf")

    def __call__(
        self,
        attempt: Callable[[], T],
        *,
        deadline: Deadline,
        cancellation: Cancellation | None = None,
        on_retry: Callable[[TranscriberError, float], None] | None = None,
    ) -> T:
        """The result of `attempt`; its last error when attempts or time are used up.

        `on_retry` receives each error that is retried, with the seconds until then. `CancelledError` ends the waits.
        """
        for failures in range(1, self._max_attempts + 1):
            self._wait_for_pause(deadline, cancellation)
            try:
                return attempt()
            except RETRIED as error:
                wait_seconds = self.wait_seconds(error, failures)
                if failures == self._max_attempts or wait_seconds + SHORTEST_TRY_SECONDS > deadline.remaining_seconds():
                    raise
                if isinstance(error, RateLimitedError):
                    self._paused_until = max(self._paused_until, self._clock() + wait_seconds)
                if on_retry is not None:
                    on_retry(error, wait_seconds)
            self._sleep(wait_seconds, cancellation)
        raise AssertionError  # the last failure was raised above

    def wait_seconds(self, error: TranscriberError, failures: int) -> float:
        """Seconds to wait after the `failures`-th failure in a row: those of `Retry-After`, otherwise back-off."""
        if isinstance(error, ApiError) and error.retry_after_seconds is not None:
            return max(SHORTEST_WAIT_SECONDS, error.retry_after_seconds)
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (failures - 1))
        return longest * (1 - JITTER * self._random())

    def _wait_for_pause(self, deadline: Deadline, cancellation: Cancellation | None) -> None:
        """Wait while calls are paused, if there is time for it; without it, the call itself reports the failure."""
        pause_seconds = self._paused_until - self._clock()
        longest = deadline.remaining_seconds() - SHORTEST_TRY_SECONDS
        if 0 < pause_seconds < longest:
            self._sleep(min(longest, pause_seconds * (1 + JITTER * self._random())), cancellation)

    def _sleep(self, seconds: float, cancellation: Cancellation | None) -> None:
        if self._replaced_sleep is not None:
            self._replaced_sleep(seconds)
        elif cancellation is None:
            time.sleep(seconds)
        else:
            cancellation.sleep(seconds)
