"""The log: one object of JSON a line, short."""

import io
import json

import pytest

from transcriber.log import MAX_VALUE_LENGTH, JsonLogger
from transcriber.request_log import RequestReport


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_object_a_line() -> None:
    """Line breaks in a value stay inside the JSON, and what is None is left out."""
    stream = io.StringIO()
    JsonLogger(stream=stream)("info", "request", error="two\nlines", code=None, status=200)
    assert lines(stream) == [{"level": "info", "message": "request", "error": "two\nlines", "status": 200}]


def test_lines_name_the_request_at_work() -> None:
    """Each line, whoever writes it, has the id of the request that is at work."""
    stream = io.StringIO()
    log = JsonLogger(stream=stream)
    log("warning", "trying again")
    log.request_id = "the-id"
    log("warning", "trying again")
    assert [line.get("request_id") for line in lines(stream)] == [None, "the-id"]


def test_line_stays_short() -> None:
    """Long values are cut, so that no line comes near the 64 KiB that wedge the platform."""
    stream = io.StringIO()
    JsonLogger(stream=stream)("error", "request", **{f"field{number}": "é" * 100_000 for number in range(10)})
    assert len(stream.getvalue()) < 64 * 1024
    assert len(str(lines(stream)[0]["field1"])) == MAX_VALUE_LENGTH


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_level(level: str, shown: int) -> None:
    """Lines under the level are not written."""
    stream = io.StringIO()
    log = JsonLogger(level, stream=stream)  # type: ignore[arg-type] # the table's texts are levels
    for each in ("debug", "info", "warning", "error"):
        log(each, "line")
    assert len(lines(stream)) == shown


def test_report_has_every_phase() -> None:
    """Server-Timing names the four phases in milliseconds, whether or not they happened, and the log has the facts."""
    report = RequestReport(trigger="http")
    with report.phase("api"):
        pass
    report.learn(model="m")
    assert [part.split(";")[0] for part in report.server_timing.split(", ")] == ["download", "prepare", "api", "total"]
    assert report.log_fields["trigger"] == "http"
    assert report.log_fields["model"] == "m"
    assert report.log_fields["download_seconds"] == 0
