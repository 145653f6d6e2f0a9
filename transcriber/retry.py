"""The one retry policy: which failures are retried, how often, and after how long."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from transcriber.cancellation import Cancellation
from transcriber.deadline import Deadline
from transcriber.errors import (
    ApiFailedError,
    ApiTimeoutError,
    SourceFailedError,
    SourceTimeoutError,
    TranscriberError,
)

T = TypeVar("T")

# Failures that waiting may cure. Everything else, above all every other 4xx, would fail the same way again. A quota is
# no failure: `transcriber.api.call_limiter` waits for it.
RETRIED: tuple[type[TranscriberError], ...] = (
    ApiFailedError,  # 5xx, a broken connection, an answer that cannot be read
    ApiTimeoutError,  # 504, no answer in time
    SourceFailedError,  # 5xx of the source, a download that broke off
    SourceTimeoutError,
)

# Five attempts with the waits below span about 15 s, which outlasts a server's restart; more would keep an instance
# busy, and paid for, without a result.
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
    """The policy; a test replaces `sleep` and `random`."""

    def __init__(
        self,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        sleep: Callable[[float], None] | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._max_attempts = max_attempts
        self._replaced_sleep = sleep
        self._random = random

    def __call__(
        self,
        attempt: Callable[[], T],
        *,
        deadline: Deadline,
        needed_seconds: float = SHORTEST_TRY_SECONDS,
        cancellation: Cancellation | None = None,
        on_retry: Callable[[TranscriberError, float], None] | None = None,
    ) -> T:
        """The result of `attempt`; its last error when attempts or time are used up.

        Nothing is retried with less than `needed_seconds` left. `on_retry` receives each error that is retried, with
        the seconds until then. `CancelledError` ends the waits.
        """
        for failures in range(1, self._max_attempts + 1):
            try:
                return attempt()
            except RETRIED as error:
                wait_seconds = self.wait_seconds(error, failures)
                if failures == self._max_attempts or wait_seconds + needed_seconds > deadline.remaining_seconds():
                    raise
                if on_retry is not None:
                    on_retry(error, wait_seconds)
            self._sleep(wait_seconds, cancellation)
        raise AssertionError  # the last failure was raised above

    def wait_seconds(self, error: TranscriberError, failures: int) -> float:
        """Seconds to wait after the `failures`-th failure in a row: those of `Retry-After`, otherwise back-off."""
        if error.retry_after_seconds is not None:
            return max(SHORTEST_WAIT_SECONDS, error.retry_after_seconds)
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (failures - 1))
        return longest * (1 - JITTER * self._random())

    def _sleep(self, seconds: float, cancellation: Cancellation | None) -> None:
        if self._replaced_sleep is not None:
            self._replaced_sleep(seconds)
        elif cancellation is None:
            time.sleep(seconds)
        else:
            cancellation.sleep(seconds)
