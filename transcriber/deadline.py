"""How much time a request has left; every wait asks here first."""

import time
from collections.abc import Callable


class Deadline:
    """A point in time, `seconds` after it was made."""

    def __init__(
        self, seconds: float, *, limit_seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._at = clock() + seconds
        # What the operator set, for a message.
        self.limit_seconds = seconds if limit_seconds is None else limit_seconds

    def remaining_seconds(self) -> float:
        """Seconds until then; zero or less when it has passed."""
        return self._at - self._clock()

    def end(self) -> None:
        """Let it have passed: whatever keeps to it comes to its end."""
        self._at = -float("inf")

    def has_passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining_seconds() <= 0
