"""What the log says for those who operate the function: calls, refusals, retries, backlog, cold starts."""

import json
from typing import Any

import pytest
from support.handling import Handle
from support.object_storage import BUCKET
from support.triggering import TALK, Api, post, upload

SWEEP = {"sweep": {"bucket": BUCKET, "prefix": "incoming/"}}


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


def request_line(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return [line for line in lines(capfd) if line["message"] == "request"][-1]


def test_calls_are_counted(handle: Handle, s3: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """The seconds that were paid and the slowest call stand in the line of the request that paid them."""
    upload(s3)
    handle(post({"bucket": BUCKET, "key": TALK}), {})
    line = request_line(capfd)
    assert line["paid_seconds"] == pytest.approx(11.088)
    assert 0 < line["slowest_call_seconds"] <= line["api_seconds"]
    assert not {"refusals", "retries", "paid_twice"} & line.keys()
    handle(post({"bucket": BUCKET, "key": TALK}), {})
    assert "paid_seconds" not in request_line(capfd)  # stored before: nothing is paid again


def test_a_failure_says_what_was_refused(handle: Handle, s3: Any, api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    """A request that ends in a refusal has the number of refusals in its line, too."""
    upload(s3)
    api.statuses = ["429 X"] * 20
    assert handle(post({"bucket": BUCKET, "key": TALK}), {})["statusCode"] == 429
    line = request_line(capfd)
    assert line["refusals"] >= 1
    assert "paid_seconds" not in line


def test_the_backlogs_age(handle: Handle, s3: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """A sweep says how old the oldest recording without a result is; afterwards, none waits."""
    upload(s3)
    handle(post(SWEEP), {})
    assert 0 <= request_line(capfd)["backlog_seconds"] < 60
    handle(post(SWEEP), {})
    assert request_line(capfd)["backlog_seconds"] == 0


def test_a_cold_start_is_said_once(handle: Handle, capfd: pytest.CaptureFixture[str]) -> None:
    """The first request of an instance is marked, and no other."""
    handle({"httpMethod": "GET"}, {})
    assert request_line(capfd)["cold_start"] is True
    handle({"httpMethod": "GET"}, {})
    assert "cold_start" not in request_line(capfd)
