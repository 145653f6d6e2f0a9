"""When an instance may start the next call under a quota that it does not know; pure arithmetic, without a clock.

A quota counts audio seconds in a minute (fixed, sliding, or a bucket that refills), for all instances of an account
together. They share nothing, so each of them infers from the calls that were refused:

* **Calls in flight** (`window`) grow from a low start: by one for each success until the first refusal, later by one
  for as many successes as there are calls. A refusal halves them, once for a congestion, however many of the calls that
  were under way are refused, too.
* **A refusal pauses all calls of the instance.** Then one call probes. While a quota is near, the next call starts only
  when the one before was not refused within the time that refusals take.
* **The pause** is what the API's headers say. Otherwise it grows to a minute, with a random part. It ends earlier when
  a call of the instance's own leaves the minute, since that room is free again: so instances take turns.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

FIRST_WINDOW = 2.0
# Of a minute: the first pause, when the API states none. An account whose minute has just begun has a long one ahead.
FIRST_PAUSE = 1 / 16
# A pause is half as long at least, so that it is one, and instances that were refused together spread out.
PAUSE_JITTER = 0.5
# Of a minute: how much later than a time that others may know as well (`Retry-After`, the end of a minute) a call is
# made. Longer wastes the quota; shorter has the instances collide, and those that have no turn yet never get one.
SPREAD = 0.2
# Of a minute: the longest pause of an instance that had no call accepted in the last minute. It has no turn yet, and
# tries to get one sooner than those that have one.
LONGEST_WITHOUT_TURN = 0.6
# After a success the pauses become shorter, but not at once: how crowded the account is does not change within a call.
PAUSE_DECAY = 0.5
# A stated time that proves too short so often in a row is about something else: from then on, and until there is calm,
# the pause grows all the same.
TRUSTED_REFUSALS = 2
# A client that waits for its answer tries this much sooner than a message does.
INTERACTIVE_SHARE = 0.25
# The share of the calls that had room in the last minute which stays in flight, however often more are refused.
KEPT_SHARE = 0.4
# Without a refusal for this many minutes, calls are started at once again.
CALM_MINUTES = 2.0
# Of a minute: the least and the most time after which a call that was not refused counts as accepted.
LEAST_VERDICT = 1 / 60
MOST_VERDICT = 1 / 4
# How many times as long as the last refusals took a verdict may take.
VERDICT_MARGIN = 2.0


@dataclass(eq=False)
class StartedCall:
    """A call under way, since `at`."""

    at: float


class Pacing:
    """The state of an instance; `now` is any clock's time in seconds. Not safe for threads by itself."""

    def __init__(self, *, max_calls: int, minute_seconds: float, random: Callable[[], float]) -> None:
        self._max_calls = max_calls
        self._minute = minute_seconds
        self._random = random
        self.window = min(FIRST_WINDOW, float(max_calls))
        self._in_flight: list[StartedCall] = []
        self._accepted_at: deque[float] = deque()
        self._paused_until = -float("inf")
        self._pause = minute_seconds * FIRST_PAUSE
        self._refused_at = -float("inf")
        self._reduced_at = -float("inf")
        self._refusals_in_a_row = 0
        self._refusal_seconds = 0.0
        self._distrusts_until = -float("inf")

    def wait_seconds(self, now: float) -> float:
        """Seconds until a call may start, 0 for at once; infinite until a call under way ends."""
        if len(self._in_flight) >= int(self.window):
            return float("inf")
        wait = self._paused_until - now
        if self._in_flight and self._refused_at > now - CALM_MINUTES * self._minute:
            wait = max(wait, self._in_flight[-1].at + self._verdict_seconds - now)
        return max(0.0, wait)

    def pause_seconds(self, now: float) -> float:
        """What is left of the pause after a refusal."""
        return max(0.0, self._paused_until - now)

    def start(self, now: float) -> StartedCall:
        """A call starts."""
        call = StartedCall(now)
        self._in_flight.append(call)
        return call

    def succeed(self, call: StartedCall) -> None:
        """A call was accepted, and has its answer."""
        self._in_flight.remove(call)
        self._accepted_at.append(call.at)
        if call.at < self._refused_at:
            return  # from before the congestion: no sign that it is over
        self._paused_until = -float("inf")
        self._refusals_in_a_row = 0
        self._pause = max(self._minute * FIRST_PAUSE, self._pause * PAUSE_DECAY)
        has_been_refused = self._reduced_at > -float("inf")
        self.window = min(self._max_calls, self.window + (1 / self.window if has_been_refused else 1))

    def fail(self, call: StartedCall) -> None:
        """A call ended for another reason than the quota, which did not refuse it."""
        self._in_flight.remove(call)
        if call.at >= self._refused_at:
            self._paused_until = -float("inf")

    def refuse(
        self, call: StartedCall, now: float, *, stated_seconds: float | None = None, is_interactive: bool = False
    ) -> None:
        """A call was refused for the quota; `stated_seconds` is the wait that the API states."""
        self._in_flight.remove(call)
        self._refusal_seconds = max(now - call.at, self._refusal_seconds * PAUSE_DECAY)
        self._refused_at = now
        if call.at < self._reduced_at:
            return  # of the same burst: the pause that its first refusal began is for all
        is_new = self._refusals_in_a_row == 0
        self._refusals_in_a_row += 1
        self._forget_old(now)
        if is_new:
            self.window = max(1.0, self.window / 2, min(self._max_calls, len(self._accepted_at) * KEPT_SHARE))
        self._reduced_at = now
        self._paused_until = max(self._paused_until, now + self._next_pause(now, stated_seconds, is_interactive))

    def _next_pause(self, now: float, stated_seconds: float | None, is_interactive: bool) -> float:  # noqa: FBT001 # passed on
        spread = self._minute * SPREAD * self._random()
        share = INTERACTIVE_SHARE if is_interactive else 1.0
        own_room = self._until_own_room(now) + spread * share
        grown = self._pause * share * (1 - PAUSE_JITTER * self._random())
        longest = self._minute if self._accepted_at else self._minute * LONGEST_WITHOUT_TURN
        self._pause = min(longest, self._pause * 2)
        if stated_seconds is not None:
            stated = stated_seconds + min(spread, self._spread_of(stated_seconds)) * share
            if self._refusals_in_a_row > TRUSTED_REFUSALS:
                self._distrusts_until = now + CALM_MINUTES * self._minute
            return max(stated, min(grown, own_room)) if now < self._distrusts_until else stated
        return min(grown, own_room)

    def _spread_of(self, stated_seconds: float) -> float:
        """How much longer than stated a pause may be: a short one is kept short, for a client that waits."""
        return (stated_seconds * PAUSE_JITTER + self._minute * LEAST_VERDICT) * self._random()

    def _until_own_room(self, now: float) -> float:
        """Seconds until the oldest call of the last minute leaves it; infinite where there is none."""
        self._forget_old(now)
        starts = [*self._accepted_at, *(call.at for call in self._in_flight if call.at + self._minute > now)]
        return min(starts, default=float("inf")) + self._minute + self._refusal_seconds - now

    def _forget_old(self, now: float) -> None:
        """Forget calls that have left the minute."""
        while self._accepted_at and self._accepted_at[0] + self._minute <= now:
            self._accepted_at.popleft()

    @property
    def _verdict_seconds(self) -> float:
        """Seconds after which a call that was not refused counts as accepted."""
        verdict = max(self._minute * LEAST_VERDICT, self._refusal_seconds * VERDICT_MARGIN)
        return min(verdict, self._minute * MOST_VERDICT)
