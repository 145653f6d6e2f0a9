"""Tests of schedules: what the platform accepts, and when each is due."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.function_folders import written

from emulator.triggers.schedules import Schedule, ScheduleError, read_rate, read_schedules

SERVERLESS = """
    service: "transcriber"
    functions:
      transcribe:
        handler: "handler.handle"
        env:
          MODELS: "${env:MODELS, 'a'}"
        events:
          - schedule:
              rate: "0 * * * *"
              input:
                sweep: {bucket: "recordings"}
          - sqs: {name: "uploads", queue: "uploads"}
          - schedule:
              rate: "30 6 * * 1-5"
      another:
        handler: "handler.handle"
    """


@pytest.mark.parametrize(
    ("rate", "after", "due"),
    [
        ("* * * * *", "2026-11-24 10:00:59", "2026-11-24 10:01"),
        ("0 * * * *", "2026-11-24 10:00:00", "2026-11-24 11:00"),
        ("0 * * * *", "2026-12-31 23:30:00", "2027-01-01 00:00"),
        ("0,30 6 * * *", "2026-11-24 06:10:00", "2026-11-24 06:30"),
        ("0,30 6 * * *", "2026-11-24 06:30:00", "2026-11-25 06:00"),
        ("15 8-10 * * *", "2026-11-24 08:20:00", "2026-11-24 09:15"),
        ("0 0 31 * *", "2026-11-24 00:00:00", "2026-12-31 00:00"),
        ("0 0 29 2 *", "2026-11-24 00:00:00", "2028-02-29 00:00"),
        ("0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00"),
        ("0 7 * * 0", "2026-11-24 00:00:00", "2026-11-29 07:00"),
        ("0 7 * * 7", "2026-11-24 00:00:00", "2026-11-29 07:00"),
        ("0 7 * * 5-7", "2026-11-24 00:00:00", "2026-11-27 07:00"),
        ("0 7 13 * 5", "2026-11-24 00:00:00", "2026-11-27 07:00"),
        ("0 7 13 * 5", "2026-12-12 00:00:00", "2026-12-13 07:00"),
        ("0 7 * 2 1", "2026-11-24 00:00:00", "2027-02-01 07:00"),
    ],
)
def test_next_time(rate: str, after: str, due: str) -> None:
    """The next matching minute in UTC, across days, months and leap years; either kind of day if both are limited."""
    start = datetime.strptime(after, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    found = read_rate(rate).next_time(start)
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == due


def test_a_date_that_never_comes() -> None:
    """30 February has no next time."""
    assert read_rate("0 0 30 2 *").next_time(datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "rate", ["*/15 * * * *", "0 8 * * MON-FRI", "0 8 * * 1,3-5", "60 * * * *", "0 0 0 * *", "0 5-3 * * *", "0 * * *"]
)
def test_what_the_platform_refuses(rate: str) -> None:
    """Steps, names, mixed fields, numbers out of range and missing fields are refused; the error names the schedule."""
    with pytest.raises(ScheduleError, match=r"'.*'"):
        read_rate(rate)


def test_a_step_is_told_what_to_write_instead() -> None:
    """The message for `*/15` shows the form that the platform accepts."""
    with pytest.raises(ScheduleError, match="0,15,30,45"):
        read_rate("*/15 * * * *")


def test_schedules_of_a_file(tmp_path: Path) -> None:
    """The schedules of `serverless.yml` are read in order, with function and input, and no other trigger is."""
    path = written(tmp_path, SERVERLESS, "serverless.yml") / "serverless.yml"
    assert read_schedules(path) == (
        Schedule("transcribe", "0 * * * *", {"sweep": {"bucket": "recordings"}}),
        Schedule("transcribe", "30 6 * * 1-5", {}),
    )


@pytest.mark.parametrize(
    ("old", "new"), [('"0 * * * *"', '"*/15 * * * *"'), ('rate: "0 * * * *"', "often: true"), ("functions:", "a: [")]
)
def test_a_file_that_would_be_refused(tmp_path: Path, old: str, new: str) -> None:
    """A step, a schedule without a rate, and a file that is not YAML are errors at the start."""
    path = written(tmp_path, SERVERLESS.replace(old, new), "serverless.yml") / "serverless.yml"
    with pytest.raises(ScheduleError):
        read_schedules(path)


def test_a_file_without_functions(tmp_path: Path) -> None:
    """A file without a function has no schedule."""
    assert read_schedules(written(tmp_path, "service: a", "serverless.yml") / "serverless.yml") == ()
