"""The time that a request has left; every wait consults it first."""

import time
from collections.abc import Callable

# A connection that gets less time than this fails for want of time, whatever its peer does.
SHORTEST_TIMEOUT_SECONDS = 0.1


class Deadline:
    """A fixed point in time, `seconds` after the deadline was made."""

    __slots__ = ("_at", "_clock", "limit_seconds")

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds
        self.limit_seconds = seconds

    @property
    def limit(self) -> str:
        """The limit in the words of a message."""
        return f"{self.limit_seconds:g} s (TIME_LIMIT)"

    def earlier(self, seconds: float) -> "Deadline":
        """The point in time `seconds` before this one, for work that something has to follow; the limit is the same."""
        earlier = Deadline(self.limit_seconds, clock=self._clock)
        earlier._at = self._at - seconds
        return earlier

    def remaining_seconds(self) -> float:
        """Seconds until then; zero or less when it has passed."""
        return self._at - self._clock()

    def has_passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining_seconds() <= 0

    def timeout_seconds(self, longest_seconds: float) -> float:
        """The timeout of one exchange: `longest_seconds`, or what is left if that is less."""
        return max(SHORTEST_TIMEOUT_SECONDS, min(longest_seconds, self.remaining_seconds()))
