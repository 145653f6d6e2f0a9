"""Reads an instance's output as the platform's core does, which stops for good at a line of 64 KiB.

The core reads each stream by a Go `bufio.Scanner`, and never again after a line over its limit. The stream's pipe then
fills, and the instance hangs in its next writes, until its request is ended at the time limit. That is what the
open-sourced runtime of 2021 does; whether the present one does is not known, so it happens on demand.
"""

import os
import threading
from collections.abc import Mapping

MAX_LINE_BYTES = 64 * 1024
_BLOCK_BYTES = 4096

STREAMS: Mapping[str, int] = {"stdout": 1, "stderr": 2}


def limit_lines() -> None:
    """Put a pipe and its reader between this process's output and the log, for both streams."""
    for name, descriptor in STREAMS.items():
        log = os.dup(descriptor)
        reading_end, writing_end = os.pipe()
        os.dup2(writing_end, descriptor)
        os.close(writing_end)
        threading.Thread(target=_pass_on, args=(name, reading_end, log), name=f"{name} reader", daemon=True).start()


def _pass_on(name: str, source: int, log: int) -> None:
    started = b""
    while block := os.read(source, _BLOCK_BYTES):
        *lines, started = (started + block).split(b"\n")
        for line in lines:
            if len(line) >= MAX_LINE_BYTES:
                started = line
                break
            _write(log, line + b"\n")
        if len(started) >= MAX_LINE_BYTES:
            _write(log, f"Error scanning {name}: bufio.Scanner: token too long\n".encode())
            return  # without closing the pipe: its writers wait


def _write(log: int, data: bytes) -> None:
    while data:
        data = data[os.write(log, data) :]
