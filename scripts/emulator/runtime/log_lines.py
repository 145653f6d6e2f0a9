"""Passes on the log of the function's instances, and keeps its latest lines."""

import os
import sys
import threading
from collections import deque

MAX_KEPT_LINES = 1000
# The part of a line that is kept; the whole line is passed on.
SHOWN_CHARACTERS = 2000


class LogLines:
    """Reads lines from the file descriptor `source`, a pipe's end, and writes them to this process's stderr."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=MAX_KEPT_LINES)

    def start(self) -> None:
        """Start reading, until the process or the pipe ends."""
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def latest(self) -> tuple[str, ...]:
        """The latest lines, oldest first."""
        with self._lock:
            return tuple(self._lines)

    def _run(self) -> None:
        with os.fdopen(self._source, "rb") as lines:
            for line in lines:
                # Written at once and unchanged: the process that wrote it may end at any moment.
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()
                with self._lock:
                    self._lines.append(line.decode(errors="replace").rstrip("\n")[:SHOWN_CHARACTERS])
