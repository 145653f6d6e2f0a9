"""Tests of the log that the gateway passes on."""

import os

import pytest
from support.function_folders import wait_until

from emulator.runtime.log_lines import MAX_KEPT_LINES, SHOWN_CHARACTERS, LogLines


def test_lines_are_passed_on_and_the_latest_are_kept(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Every byte is passed on; the latest lines are kept, cut to a limit, with invalid UTF-8 replaced."""
    source, end = os.pipe()
    log = LogLines(source)
    log.start()
    sent = [f"line {number}\n".encode() for number in range(MAX_KEPT_LINES)]
    sent += [b"\xff odd\n", b"x" * 100_000 + b"\n", b"the last, without an end"]
    with os.fdopen(end, "wb") as pipe:
        pipe.write(b"".join(sent))
    wait_until(lambda: "the last, without an end" in log.latest())
    lines = log.latest()
    assert len(lines) == MAX_KEPT_LINES
    assert lines[0] == "line 3"
    assert lines[-3:] == ("\N{REPLACEMENT CHARACTER} odd", "x" * SHOWN_CHARACTERS, "the last, without an end")
    assert capfdbinary.readouterr().err == b"".join(sent)
