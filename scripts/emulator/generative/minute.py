"""A limit of a minute in its three forms: the fixed minute, the sliding minute, and the token bucket; pure.

Times are seconds of one monotonic clock, and never decrease from call to call.
"""

import math
from collections import deque
from typing import Literal, Protocol

MinuteForm = Literal["fixed", "sliding", "token-bucket"]

# An amount that came back by additions of floats may lack a little of the whole.
EPSILON = 1e-6


class MinuteLimit(Protocol):
    """A limit of `limit` units a minute."""

    limit: float

    def used(self, now: float) -> float:
        """The units that are used up at present."""

    def wait_seconds(self, amount: float, now: float) -> float:
        """The time until `amount` fits, without further use: 0 at once, infinite if it exceeds the whole limit."""

    def reset_seconds(self, now: float) -> float:
        """The time until nothing is used up, without further use."""

    def use(self, amount: float, now: float) -> None:
        """Use `amount` up, whether it fits or not."""


def new_limit(form: MinuteForm, limit: float, minute_seconds: float) -> MinuteLimit:
    """A limit in this form, with nothing used up."""
    forms: dict[MinuteForm, type[FixedMinute | SlidingMinute | TokenBucket]] = {
        "fixed": FixedMinute,
        "sliding": SlidingMinute,
        "token-bucket": TokenBucket,
    }
    return forms[form](limit, minute_seconds)


class FixedMinute:
    """The use starts at 0 at each multiple of the minute."""

    def __init__(self, limit: float, minute_seconds: float) -> None:
        self.limit = limit
        self._minute_seconds = minute_seconds
        self._minute = 0
        self._used = 0.0

    def used(self, now: float) -> float:
        """The units that were used in this minute."""
        return self._used if int(now // self._minute_seconds) == self._minute else 0.0

    def wait_seconds(self, amount: float, now: float) -> float:
        """The rest of the minute, if `amount` does not fit into it."""
        if amount > self.limit + EPSILON:
            return math.inf
        return 0.0 if self.used(now) + amount <= self.limit + EPSILON else self._rest(now)

    def reset_seconds(self, now: float) -> float:
        """The rest of the minute, if anything is used."""
        return self._rest(now) if self.used(now) else 0.0

    def use(self, amount: float, now: float) -> None:
        """Use `amount` of this minute."""
        self._used = self.used(now) + amount
        self._minute = int(now // self._minute_seconds)

    def _rest(self, now: float) -> float:
        return self._minute_seconds - now % self._minute_seconds


class SlidingMinute:
    """The use of the last minute, at each moment."""

    def __init__(self, limit: float, minute_seconds: float) -> None:
        self.limit = limit
        self._minute_seconds = minute_seconds
        self._uses: deque[tuple[float, float]] = deque()

    def used(self, now: float) -> float:
        """The units that were used in the last minute."""
        while self._uses and self._uses[0][0] <= now - self._minute_seconds:
            self._uses.popleft()
        return sum(amount for _, amount in self._uses)

    def wait_seconds(self, amount: float, now: float) -> float:
        """The time until enough of the past use is older than a minute."""
        if amount > self.limit + EPSILON:
            return math.inf
        used, wait = self.used(now), 0.0
        for at, past in self._uses:
            if used + amount <= self.limit + EPSILON:
                break
            used -= past
            wait = at + self._minute_seconds - now
        return wait

    def reset_seconds(self, now: float) -> float:
        """The time until the newest use is older than a minute."""
        return self._uses[-1][0] + self._minute_seconds - now if self.used(now) else 0.0

    def use(self, amount: float, now: float) -> None:
        """Use `amount` now."""
        self._uses.append((now, amount))


class TokenBucket:
    """The use comes back evenly, the whole limit in a minute; the bucket is full at the start."""

    def __init__(self, limit: float, minute_seconds: float) -> None:
        self.limit = limit
        self._units_per_second = limit / minute_seconds
        self._used = 0.0
        self._at = -math.inf

    def used(self, now: float) -> float:
        """The units that have not come back yet."""
        used = self._used - (now - self._at) * self._units_per_second
        return used if used > EPSILON else 0.0

    def wait_seconds(self, amount: float, now: float) -> float:
        """The time until `amount` has come back."""
        if amount > self.limit + EPSILON:
            return math.inf
        lacking = self.used(now) + amount - self.limit
        return lacking / self._units_per_second if lacking > EPSILON else 0.0

    def reset_seconds(self, now: float) -> float:
        """The time until all has come back."""
        return self.used(now) / self._units_per_second

    def use(self, amount: float, now: float) -> None:
        """Take `amount` out of the bucket."""
        self._used = self.used(now) + amount
        self._at = now
