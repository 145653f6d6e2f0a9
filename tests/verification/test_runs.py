"""A run as a whole: its time, its clean-up, and what a check meets that nobody thought of."""

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.loopback import Peer, serve

from transcriber.deadline import Deadline
from transcriber.settings import Settings
from verify_run.finding import Finding, Report, failed, ok
from verify_run.run import CLEAN_UP_SECONDS, LIMIT_SECONDS, CleanUp, Run
from verify_run.settings_checks import check_clock
from verify_run.web import OUT_OF_TIME, Web


def test_a_run_takes_less_than_a_minute() -> None:
    """Checks and clean-up together end within 60 s."""
    assert LIMIT_SECONDS + CLEAN_UP_SECONDS < 60


def test_no_request_outlasts_the_run() -> None:
    """A server that says nothing is given up when the run's time is over, and then none is asked any more."""
    deadline = Deadline(0.3)
    with serve(lambda peer: peer.wait()) as server:
        web = Web(lambda: deadline)
        started = time.monotonic()
        assert web.send("GET", server.url).text == OUT_OF_TIME
        assert web.send("GET", server.url).text == OUT_OF_TIME
        assert time.monotonic() - started < 10
        assert len(server.requests) == 1
        web.close()


def test_the_clean_up_has_its_own_time() -> None:
    """After a run whose time is over, requests of the clean-up are still sent."""
    run = Run(Settings(api_key="x"), deadline=Deadline(-1))
    web = Web(lambda: run.deadline)
    with serve(lambda peer: peer.answer(b"{}")) as server:
        assert web.send("DELETE", server.url).status == 0
        run.begin_clean_up()
        assert web.send("DELETE", server.url).status == 200
        web.close()


def test_everything_is_removed_whatever_fails() -> None:
    """A step of the clean-up that fails is named, and those before and after it are made; the last thing goes first."""
    clean_up, done = CleanUp(), []

    def fail() -> None:
        raise OSError

    clean_up.add("first", lambda: done.append("first"))
    clean_up.add("second", fail)
    clean_up.add("third", lambda: done.append("third"))
    assert clean_up.run() == ["second (OSError)"]
    assert done == ["third", "first"]
    assert clean_up.run() == []


def test_a_check_that_breaks_is_a_finding() -> None:
    """What nobody thought of ends no other check, and fails the run."""

    def broken() -> Iterator[Finding]:
        yield ok("a", "works")
        raise KeyError

    report = Report(stream=io.StringIO())
    report.add(broken())
    report.add(iter([ok("b", "works, too")]))
    assert [finding.check for finding in report.findings] == ["a", "verify", "b"]
    assert "KeyError" in report.failures[0].text


def test_a_line_for_a_person() -> None:
    """A failure has its mark, its name, its cause in one line, and its cure after an arrow."""
    stream = io.StringIO()
    Report(secrets=("the-secret",), stream=stream).add(iter([failed("bucket", "No the-secret.", "Make one.")]))
    assert stream.getvalue() == "✗ bucket         No […].\n                 → Make one.\n"


def test_the_clock_is_compared_when_an_answer_comes() -> None:
    """How long a run takes afterwards makes no clock wrong."""
    at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    moments = iter([at, at + timedelta(hours=1)])
    run = Run(Settings(api_key="x"), now=lambda: next(moments))
    (finding,) = check_clock({"the API": run.skew(at), "the queue": None})
    assert finding.verdict == "ok"
    (finding,) = check_clock({"the API": run.skew(at)})
    assert finding.verdict == "failed"


@pytest.mark.parametrize(
    "answer", [b"", b"[1]", b"null", b"\xff\xfe", b'{"error": "text"}', b'{"error": {"message": 7}}']
)
def test_answers_of_any_form_are_read(answer: bytes) -> None:
    """Whatever a server sends, there is a message and no failure of the program."""

    def reply(peer: Peer) -> None:
        peer.answer(answer, status="500 X")

    with serve(reply) as server:
        web = Web(lambda: Deadline(10))
        found = web.send("GET", server.url)
        web.close()
    assert found.status == 500
    assert isinstance(found.message, str)
    assert isinstance(found.error, dict)
