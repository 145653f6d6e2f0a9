"""Tests of the platform's cron, with a clock of their own."""

from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from support.function_folders import TIMEOUT_SECONDS, wait_until

from emulator.triggers.cron import CronTrigger
from emulator.triggers.schedules import Schedule

HOURLY = Schedule("transcribe", "0 * * * *", {"sweep": {"bucket": "recordings"}})
YEARLY = Schedule("transcribe", "0 0 1 1 *", {})


class Asked:
    """A function that answers 204, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, str, str | None]] = []
        self.once = Event()

    def __call__(self, body: bytes, *, trigger: str, content_type: str | None = None) -> int | None:
        self.requests.append((body, trigger, content_type))
        self.once.set()
        return 204


def test_a_schedule_fires_when_it_is_due_and_once() -> None:
    """At its minute the input is sent as JSON, and not again in the same minute; another schedule stays silent."""
    function = Asked()
    times = iter([datetime(2026, 11, 24, 10, 59, 59, tzinfo=UTC)])
    due = datetime(2026, 11, 24, 11, 0, 0, 1000, tzinfo=UTC)
    reads: list[datetime] = []

    def now() -> datetime:
        reads.append(next(times, due))
        return reads[-1]

    with CronTrigger([HOURLY, YEARLY], function, now=now) as cron:
        cron.start()
        assert function.once.wait(TIMEOUT_SECONDS)
        wait_until(lambda: cron.states()[0].last_status == 204)
        seen = len(reads)
        assert cron.states()[0].next_time == datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
        wait_until(lambda: len(reads) > seen)
    assert function.requests == [(b'{"sweep": {"bucket": "recordings"}}', "cron", "application/json")]


def test_a_schedule_fires_on_demand() -> None:
    """`fire` sends the request at once, whatever the time, and the state shows it."""
    function = Asked()
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
    """A number out of range is an error, and asks nothing."""

    def unasked(*_arguments: Any, **_options: Any) -> int:
        raise AssertionError

    with pytest.raises(IndexError):
        CronTrigger([HOURLY, YEARLY], unasked).fire(number)
