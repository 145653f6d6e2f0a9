"""Tests of the platform's cron, with a controlled clock."""

from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from support.function_folders import TIMEOUT_SECONDS, wait_until

from emulator.triggers.cron import CronTrigger
from emulator.triggers.schedules import Schedule

HOURLY = Schedule("transcribe", "0 * * * *", {"sweep": {"bucket": "recordings"}})
YEARLY = Schedule("transcribe", "0 0 1 1 *", {})


class Function:
    """A function that answers 204, and records its requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, str, str | None]] = []
        self.called = Event()

    def __call__(self, body: bytes, *, trigger: str, content_type: str | None = None) -> int | None:
        self.requests.append((body, trigger, content_type))
        self.called.set()
        return 204


def test_a_schedule_fires_when_it_is_due_and_once() -> None:
    """A due schedule sends its input as JSON, once in its minute; another schedule sends nothing."""
    function = Function()
    times = iter([datetime(2026, 11, 24, 10, 59, 59, tzinfo=UTC)])
    due = datetime(2026, 11, 24, 11, 0, 0, 1000, tzinfo=UTC)
    reads: list[datetime] = []

    def now() -> datetime:
        reads.append(next(times, due))
        return reads[-1]

    with CronTrigger([HOURLY, YEARLY], function, now=now) as cron:
        cron.start()
        assert function.called.wait(TIMEOUT_SECONDS)
        wait_until(lambda: cron.states()[0].last_status == 204)
        seen = len(reads)
        assert cron.states()[0].next_time == datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
        wait_until(lambda: len(reads) > seen)
    assert function.requests == [(b'{"sweep": {"bucket": "recordings"}}', "cron", "application/json")]


def test_a_schedule_fires_on_demand() -> None:
    """`fire` sends the request at once, at any time, and the state shows it."""
    function = Function()
    moment = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
    cron = CronTrigger([HOURLY, YEARLY], function, now=lambda: moment)
    assert [(state.rate, state.last_time) for state in cron.states()] == [("0 * * * *", None), ("0 0 1 1 *", None)]
    cron.fire(1)
    wait_until(lambda: cron.states()[1].last_status == 204)
    assert function.requests == [(b"{}", "cron", "application/json")]
    assert cron.states()[1].last_time == moment.timestamp()
    assert cron.states()[0].last_time is None


@pytest.mark.parametrize("number", [-1, 2])
def test_there_is_no_such_schedule(number: int) -> None:
    """A number out of range is an error, and sends nothing."""

    def uncalled(*_arguments: Any, **_options: Any) -> int:
        raise AssertionError

    with pytest.raises(IndexError):
        CronTrigger([HOURLY, YEARLY], uncalled).fire(number)
