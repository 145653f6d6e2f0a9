"""The platform's cron: sends each schedule's input to the function when it is due, and never retries."""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from emulator.closing import Closing
from emulator.state.platform_state import CronState
from emulator.triggers.client import CallFunction
from emulator.triggers.schedules import Rate, Schedule, read_rate

# The longest sleep, so that a change of the clock does not delay a schedule for long.
MAX_SLEEP_SECONDS = 10.0


def _now() -> datetime:
    return datetime.now(UTC)


class CronTrigger(Closing):
    """Fires `schedules` from `start` until closed, each on a thread of its own; `now` returns the time in UTC."""

    def __init__(
        self, schedules: Sequence[Schedule], call_function: CallFunction, *, now: Callable[[], datetime] = _now
    ) -> None:
        self._entries = [_Entry(schedule, read_rate(schedule.rate)) for schedule in schedules]
        self._call_function = call_function
        self._now = now
        self._closed = threading.Event()

    def start(self) -> None:
        """Start watching the clock."""
        if self._entries:
            threading.Thread(target=self._run, name="cron", daemon=True).start()

    def fire(self, number: int) -> None:
        """Fire the schedule of this number, from 0, now; raises `IndexError` if there is none."""
        if number < 0:
            raise IndexError(number)
        entry = self._entries[number]
        threading.Thread(target=self._fire_entry, args=(entry,), daemon=True).start()

    def states(self) -> tuple[CronState, ...]:
        """The schedules, in order."""
        return tuple(self._state(number, entry) for number, entry in enumerate(self._entries))

    def close(self) -> None:
        """Stop firing."""
        self._closed.set()

    def _state(self, number: int, entry: "_Entry") -> CronState:
        due = entry.rate.next_time(self._now())
        return CronState(
            number=number,
            function=entry.schedule.function,
            rate=entry.schedule.rate,
            input=entry.schedule.input,
            next_time=None if due is None else due.timestamp(),
            last_time=entry.last_time,
            last_status=entry.last_status,
        )

    def _run(self) -> None:
        since = self._now()
        while not self._closed.is_set():
            dues = [(due, number) for number, entry in enumerate(self._entries) if (due := entry.rate.next_time(since))]
            if not dues:
                return
            first = min(dues)[0]
            while (left := (first - self._now()).total_seconds()) > 0:
                if self._closed.wait(min(left, MAX_SLEEP_SECONDS)):
                    return
            for due, number in dues:
                if due == first:
                    self.fire(number)
            # After a laptop's sleep, schedules that were due meanwhile are skipped.
            since = max(first, self._now() - timedelta(minutes=1))

    def _fire_entry(self, entry: "_Entry") -> None:
        entry.last_time = self._now().timestamp()
        body = json.dumps(entry.schedule.input).encode()
        entry.last_status = self._call_function(body, trigger="cron", content_type="application/json")


class _Entry:
    """A schedule and its last result."""

    def __init__(self, schedule: Schedule, rate: Rate) -> None:
        self.schedule = schedule
        self.rate = rate
        self.last_time: float | None = None
        self.last_status: int | None = None
