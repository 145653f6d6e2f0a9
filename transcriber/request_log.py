"""The operator's view of a request: log lines, and the facts and wall times in its last line and Server-Timing."""

import hashlib
import json
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from transcriber.errors import TranscriberError
from transcriber.settings import LogLevel

# A line over 64 KiB wedges the platform; no reader needs more of a value than this.
MAX_VALUE_LENGTH = 500

# The phases that the contract names. They may overlap: the audio is sent while it still arrives.
PHASES: Final = ("download", "prepare", "api")

# An id gives access to its upload or job. A hash in its place still distinguishes two.
_SECRET_IDS: Final = re.compile(r"(\buploads(?:/|%2[Ff])|\bupload_|\bjob_)([0-9a-f]{8,32})(?![0-9a-f])")
_SHOWN_HASH_LENGTH = 12

_LEVELS: Final[tuple[LogLevel, ...]] = ("debug", "info", "warning", "error")
_OUR_CODE: Final = Path(__file__).parent


class JsonLogger:
    """Writes one JSON object a line, to stderr: the platform holds stdout back until the request has ended.

    Lines under `level` are not written. `fields` are part of every line; fields that are None are left out.
    """

    def __init__(self, level: LogLevel = "info", *, stream: IO[str] | None = None, **fields: object) -> None:
        self._level: LogLevel = level
        self._stream = stream
        self._fields = fields

    def bind(self, **fields: object) -> "JsonLogger":
        """The same logger with more fields in each line, such as the request's id."""
        return JsonLogger(self._level, stream=self._stream, **(self._fields | fields))

    def at_level(self, level: LogLevel) -> "JsonLogger":
        """The same logger with another level."""
        return JsonLogger(level, stream=self._stream, **self._fields)

    def __call__(self, level: LogLevel, message: str, **fields: object) -> None:
        """Write one line."""
        if _LEVELS.index(level) < _LEVELS.index(self._level):
            return
        line = {"level": level, "message": message, **self._fields, **fields}
        shortened = {
            name: without_secret_ids(value)[:MAX_VALUE_LENGTH] if isinstance(value, str) else value
            for name, value in line.items()
            if value is not None
        }
        stream = self._stream or sys.stderr
        # One write a line: `print` writes the line end by itself, and lines of several threads would run together.
        stream.write(json.dumps(shortened, ensure_ascii=True, default=str) + "\n")
        stream.flush()

    def retry(self, error: TranscriberError, wait_seconds: float) -> None:
        """Write that a call failed and is retried after `wait_seconds`."""
        self("warning", "trying again", code=error.code, error=error.message, wait_seconds=round(wait_seconds, 3))


class RequestReport:
    """The facts and wall times of one request, gathered while it is handled."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.phase_seconds: dict[str, float] = {}
        self._started = time.monotonic()

    def add(self, **facts: object) -> None:
        """Add facts."""
        self.facts.update(facts)

    def add_source(self, *, kind: str, size_bytes: int, transfer_seconds: float) -> None:
        """Add where the audio came from, how much was read, and how long its transfer took."""
        self.phase_seconds["download"] = transfer_seconds
        self.add(source=kind, bytes=size_bytes)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the wall time of the block to the phase `name`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.phase_seconds[name] = self.phase_seconds.get(name, 0.0) + time.monotonic() - started

    @property
    def total_seconds(self) -> float:
        """Wall time since the request began."""
        return time.monotonic() - self._started

    @property
    def server_timing(self) -> str:
        """The phases and the total, in milliseconds, as the header Server-Timing has them."""
        return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in self._timings())

    @property
    def log_fields(self) -> dict[str, object]:
        """The facts, and the phases and the total in seconds."""
        return self.facts | {f"{name}_seconds": round(seconds, 3) for name, seconds in self._timings()}

    def _timings(self) -> list[tuple[str, float]]:
        return [*((name, self.phase_seconds.get(name, 0.0)) for name in PHASES), ("total", self.total_seconds)]


def without_secret_ids(text: str) -> str:
    """`text` with a hash in the place of each id of an upload or a job."""
    return _SECRET_IDS.sub(lambda found: f"{found[1]}#{_shown_hash(found[2])}", text)


def _shown_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:_SHOWN_HASH_LENGTH]


def error_log_fields(error: Exception) -> dict[str, object]:
    """The log fields of `error`; of an unexpected one only its type and place, since its text may hold anything."""
    if isinstance(error, TranscriberError):
        return {"code": error.code, "error": error.message}
    frames = traceback.extract_tb(error.__traceback__)
    # The innermost frame, and the innermost one of ours, which shows what was being done there.
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_OUR_CODE)]
    where = " in ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in (*frames[-1:], *ours[-1:]))
    return {"code": TranscriberError.code, "error": type(error).__name__, "where": where}
