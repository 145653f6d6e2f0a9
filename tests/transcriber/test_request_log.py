"""The request log: short lines of one JSON object each, and the facts and times of a request."""

import io
import json
import os
import re
from threading import Thread

import pytest

from transcriber.errors import ApiFailedError, SourceFailedError
from transcriber.request_log import MAX_VALUE_LENGTH, JsonLogger, RequestReport, error_log_fields
from transcriber.settings import LogLevel


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_object_a_line() -> None:
    """Line breaks in a value stay inside the JSON, and fields that are None are left out."""
    stream = io.StringIO()
    JsonLogger(stream=stream)("info", "request", error="two\nlines", code=None, status=200)
    assert lines(stream) == [{"level": "info", "message": "request", "error": "two\nlines", "status": 200}]


def test_bound_fields_are_in_each_line() -> None:
    """A logger that is bound to a request names it in each line; the one that it was made from does not."""
    stream = io.StringIO()
    log = JsonLogger(stream=stream)
    bound = log.bind(request_id="the-id")
    log("warning", "trying again")
    bound("warning", "trying again")
    bound.retry(ApiFailedError("The API answered 500."), 1.23456)
    assert [line.get("request_id") for line in lines(stream)] == [None, "the-id", "the-id"]
    assert (lines(stream)[2]["code"], lines(stream)[2]["wait_seconds"]) == ("api_failed", 1.235)


def test_lines_of_threads_do_not_run_together() -> None:
    """Whatever several threads log at the same time, each line of the log is one object."""
    threads, count = 8, 2_000
    reader, writer = os.pipe()
    with os.fdopen(reader) as source, os.fdopen(writer, "w", buffering=1) as stream:
        log = JsonLogger(stream=stream)

        def write() -> None:
            for number in range(count):
                log("info", "line", number=number)

        writers = [Thread(target=write) for _ in range(threads)]
        found: list[str] = []
        collecting = Thread(target=lambda: found.extend(source))
        collecting.start()
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        stream.close()
        collecting.join()
    assert len(found) == threads * count
    assert all(json.loads(line)["message"] == "line" for line in found)


class CountingStream(io.StringIO):
    """A stream that counts its writes."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def test_one_write_a_line() -> None:
    """A line and its end are one write: between two, another thread's line may come."""
    stream = CountingStream()
    JsonLogger(stream=stream)("info", "request")
    assert stream.writes == 1


def test_line_stays_short() -> None:
    """Long values are cut, so that no line comes near the 64 KiB that wedge the platform."""
    stream = io.StringIO()
    JsonLogger(stream=stream)("error", "request", **{f"field{number}": "é" * 100_000 for number in range(10)})
    assert len(stream.getvalue()) < 64 * 1024
    assert len(str(lines(stream)[0]["field1"])) == MAX_VALUE_LENGTH


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_level(level: LogLevel, shown: int) -> None:
    """Lines under the level are not written."""
    stream = io.StringIO()
    log = JsonLogger(level, stream=stream)
    levels: tuple[LogLevel, ...] = ("debug", "info", "warning", "error")
    for each in levels:
        log(each, "line")
    assert len(lines(stream)) == shown


def test_phases_are_in_header_and_log() -> None:
    """Each phase of the contract and the total have a time, in header and log, even if they did not begin."""
    report = RequestReport(trigger="http")
    with report.phase("api"):
        pass
    pattern = r"download;dur=0\.0, prepare;dur=0\.0, api;dur=\d+\.\d, total;dur=\d+\.\d"
    assert re.fullmatch(pattern, report.server_timing)
    assert list(report.log_fields) == [
        "trigger",
        *(f"{name}_seconds" for name in ("download", "prepare", "api", "total")),
    ]


def test_phase_that_fails_or_comes_again_counts() -> None:
    """A phase's time is the sum of its turns, including those that ended in an error."""
    report = RequestReport()
    with report.phase("api"):
        pass
    first_seconds = report.phase_seconds["api"]
    with pytest.raises(SourceFailedError), report.phase("api"):
        raise SourceFailedError("broke off")
    assert report.phase_seconds["api"] > first_seconds > 0


def test_source_is_a_fact_and_a_phase() -> None:
    """The log has the kind and size of the source, and its transfer is the download phase."""
    report = RequestReport()
    report.add_source(kind="inline", size_bytes=100, transfer_seconds=1.5)
    assert report.log_fields["source"] == "inline"
    assert (report.log_fields["bytes"], report.log_fields["download_seconds"]) == (100, 1.5)


def test_unexpected_error_logs_its_type_and_place() -> None:
    """The log has the type and the place of an unexpected error, and nothing of its text, which may hold anything."""
    with pytest.raises(KeyError) as caught:
        json.loads("{}")["the-secret at 10.0.0.1"]
    fields = error_log_fields(caught.value)
    assert "secret" not in str(fields)
    assert (fields["code"], fields["error"]) == ("internal_error", "KeyError")
    assert str(fields["where"]).startswith("test_request_log.py:")
