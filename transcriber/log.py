"""Writes log lines: one JSON object each, on stderr, short."""

import json
import sys
from typing import IO, Final

from transcriber.settings import LogLevel

# A line over 64 KiB wedges the platform; a value longer than this tells nobody anything.
MAX_VALUE_LENGTH = 500

_LEVELS: Final[tuple[LogLevel, ...]] = ("debug", "info", "warning", "error")


class JsonLogger:
    """The log of an instance; lines under `level` are not written, and each names the request that is at work."""

    def __init__(self, level: LogLevel = "info", *, stream: IO[str] | None = None) -> None:
        self.level: LogLevel = level
        self.request_id: str | None = None
        self._stream = stream

    def __call__(self, level: LogLevel, message: str, **fields: object) -> None:
        """Write one line; fields that are None are left out."""
        if _LEVELS.index(level) < _LEVELS.index(self.level):
            return
        line = {"level": level, "message": message, "request_id": self.request_id, **fields}
        shortened = {
            name: value[:MAX_VALUE_LENGTH] if isinstance(value, str) else value
            for name, value in line.items()
            if value is not None
        }
        # stderr, since the platform holds stdout back until the request has ended.
        print(json.dumps(shortened, ensure_ascii=True, default=str), file=self._stream or sys.stderr, flush=True)
