"""Reads the schedules of a `serverless.yml`, refuses what the platform refuses, and computes when each is due."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emulator.processes import ServerFailedError

# Minute, hour, day of the month, month, day of the week, where Sunday is 0 and 7.
RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(8))
# The platform accepts `*`, a number, numbers with commas, or one range in a field. It refuses steps and names.
_FIELD = re.compile(r"\*|\d+(-\d+|(,\d+)+)?")
SUNDAY = 7

# The rarest date, 29 February, recurs within eight years, even around a year such as 2100 that has none.
SEARCHED_DAYS = 8 * 366 + 1


class ScheduleError(ServerFailedError):
    """A schedule that the platform would refuse; the message names it and the reason."""


@dataclass(frozen=True)
class Schedule:
    """A schedule of `function`: `rate` has five fields in UTC; `input` is sent as JSON."""

    function: str
    rate: str
    input: Any


@dataclass(frozen=True)
class Rate:
    """A parsed rate: the numbers that each field allows; days of the week by ISO, Monday is 1."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    # cron's rule: if both kinds of days are limited, a day of either kind matches.
    either_day: bool

    def next_time(self, after: datetime) -> datetime | None:
        """The first matching minute after `after`; `None` for a date that never comes, such as 30 February."""
        start = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        times = [(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)]
        for number in range(SEARCHED_DAYS):
            day = start + timedelta(days=number)
            if not self._is_due_on(day):
                continue
            earliest = (start.hour, start.minute) if number == 0 else (0, 0)
            due = next((time for time in times if time >= earliest), None)
            if due is not None:
                return day.replace(hour=due[0], minute=due[1])
        return None

    def _is_due_on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        fits = (day.day in self.days, day.isoweekday() in self.weekdays)
        return any(fits) if self.either_day else all(fits)


def read_rate(text: str) -> Rate:
    """Parse the rate in `text`; raises `ScheduleError` if the platform refuses it."""
    fields = text.split()
    if len(fields) != len(RANGES):
        raise ScheduleError(f"The schedule {text!r} has {len(fields)} fields instead of five: {_FIELD_NAMES}")
    sets = [_numbers(field, allowed, text) for field, allowed in zip(fields, RANGES, strict=True)]
    minutes, hours, days, months, weekdays = sets
    return Rate(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(number or SUNDAY for number in weekdays),
        either_day="*" not in {fields[2], fields[4]},
    )


_FIELD_NAMES = "minute, hour, day of the month, month, day of the week"


def _numbers(field: str, allowed: Sequence[int], rate: str) -> frozenset[int]:
    if not _FIELD.fullmatch(field):
        raise ScheduleError(
            f"The platform refuses {field!r} in the schedule {rate!r}: a field is *, a number, numbers with commas, or "
            "one range (write 0,15,30,45 for */15)"
        )
    if field == "*":
        return frozenset(allowed)
    numbers = [int(number) for number in re.findall(r"\d+", field)]
    if not all(number in allowed for number in numbers):
        raise ScheduleError(f"{field!r} in the schedule {rate!r} is not within {allowed[0]} to {allowed[-1]}")
    if "-" not in field:
        return frozenset(numbers)
    first, last = numbers
    if first > last:
        raise ScheduleError(f"The range {field!r} in the schedule {rate!r} ends before it starts")
    return frozenset(range(first, last + 1))


def read_schedules(path: Path) -> tuple[Schedule, ...]:
    """The schedules of all functions in a `serverless.yml`, in its order; raises `ScheduleError`."""
    # Imported here: only a platform with triggers needs it.
    import yaml  # noqa: PLC0415 # as above

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScheduleError(f"{path} cannot be read: {error}") from error
    schedules = []
    for name, function in ((content or {}).get("functions") or {}).items():
        for event in function.get("events") or []:
            entry = event.get("schedule")
            if entry is None:
                continue
            if not isinstance(entry, dict) or not isinstance(entry.get("rate"), str):
                raise ScheduleError(f"A schedule of {name} in {path} needs a rate, such as '0 * * * *'")
            read_rate(entry["rate"])
            schedules.append(Schedule(name, entry["rate"], entry.get("input", {})))
    return tuple(schedules)
