"""How much time a request has left; every wait asks here first."""

import time
from collections.abc import Callable


class Deadline:
    """A point in time, `seconds` after it was made."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds
        self.limit_seconds = seconds

    def remaining_seconds(self) -> float:
        """Seconds until then; zero or less when it has passed."""
        return self._at - self._clock()

    def has_passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining_seconds() <= 0
