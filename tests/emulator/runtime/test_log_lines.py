"""Tests of the log that passes through the gateway."""

import os

import pytest
from support.function_folders import wait_until

from emulator.runtime.log_lines import REMEMBERED_LINES, SHOWN_CHARACTERS, LogLines


def test_lines_pass_and_the_latest_are_remembered(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Every byte is passed on; the latest lines are kept, long ones up to a limit, and what is no UTF-8 readable."""
    source, end = os.pipe()
    log = LogLines(source)
    log.start()
    sent = [f"line {number}\n".encode() for number in range(REMEMBERED_LINES)]
    sent += [b"\xff odd\n", b"x" * 100_000 + b"\n", b"the last, without an end"]
    with os.fdopen(end, "wb") as pipe:
        pipe.write(b"".join(sent))
    wait_until(lambda: "the last, without an end" in log.latest())
    lines = log.latest()
    assert len(lines) == REMEMBERED_LINES
    assert lines[0] == "line 3"
    assert lines[-3:] == ("\N{REPLACEMENT CHARACTER} odd", "x" * SHOWN_CHARACTERS, "the last, without an end")
    assert capfdbinary.readouterr().err == b"".join(sent)
