"""Reports: what an operator learns of a request, in the log and in its answer's header."""

import base64
import re

import pytest

from transcriber.errors import SourceFailedError
from transcriber.request.base64_text import read_base64
from transcriber.request_log import RequestReport
from transcriber.sources.inline import InlineSource


def test_phases_are_in_header_and_log() -> None:
    """Each phase of the contract and the total have a time, in the header and in the log, also if it did not begin."""
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
    """A phase's time is the sum of its turns, those that ended in an error too."""
    report = RequestReport(trigger="http")
    with report.phase("api"):
        pass
    first_seconds = report.phase_seconds["api"]
    with pytest.raises(SourceFailedError), report.phase("api"):
        raise SourceFailedError("broke off")
    assert report.phase_seconds["api"] > first_seconds > 0


def test_source_is_noted_whatever_comes_of_it() -> None:
    """What was read of a source, and what kind it is, is in the log although the request failed."""
    report = RequestReport(trigger="http")
    source = InlineSource(read_base64(base64.b64encode(b"x" * 100).decode(), param=None), max_bytes=1000)
    with pytest.raises(SourceFailedError), report.watching(source):
        raise SourceFailedError("broke off")
    assert (report.facts["source"], report.facts["bytes"]) == ("inline", 100)
    assert "download" in report.phase_seconds


@pytest.mark.parametrize(("trigger", "again"), [("http", False), ("cron", False), ("upload", True), ("queue", True)])
def test_what_is_delivered_again(trigger: str, again: bool) -> None:  # noqa: FBT001 # a table's column
    """Messages come again where their status says so; clients and schedules do not."""
    report = RequestReport(trigger="http")
    report.learn(trigger=trigger)
    assert report.is_delivered_again is again
