"""What an operator learns of one request: gathered on its way, written as one log line and as Server-Timing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from transcriber.sources.base import Source

# The phases that the contract names. They may overlap: the audio is sent while it still arrives.
PHASES: Final = ("download", "prepare", "api")


# A second of audio costs millionths of a unit.
COST_DECIMALS = 6


class RequestReport:
    """Facts and wall times of one request."""

    def __init__(self, *, trigger: str) -> None:
        self.facts: dict[str, object] = {"trigger": trigger}
        self.phase_seconds: dict[str, float] = {}
        self._started = time.monotonic()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the wall time of what happens inside to the phase `name`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.phase_seconds[name] = self.phase_seconds.get(name, 0.0) + time.monotonic() - started

    @contextmanager
    def watching(self, source: Source) -> Iterator[None]:
        """Note, whatever comes of it, what was read of `source` inside, and how long the transfer of it took."""
        try:
            yield
        finally:
            self.phase_seconds["download"] = source.transfer_seconds
            self.learn(source=source.kind, bytes=source.bytes_read if source.size_bytes is None else source.size_bytes)

    @property
    def is_delivered_again(self) -> bool:
        """Whether the event is a message that comes again where its status says so."""
        return self.facts["trigger"] in {"upload", "queue"}

    def learn(self, **facts: object) -> None:
        """Add facts for the log line."""
        self.facts.update(facts)

    @property
    def total_seconds(self) -> float:
        """Wall time since the request began."""
        return time.monotonic() - self._started

    @property
    def server_timing(self) -> str:
        """The phases and the total, in milliseconds, in the form of the Server-Timing header."""
        return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in self._timings())

    @property
    def log_fields(self) -> dict[str, object]:
        """The facts, and the phases and the total in seconds."""
        return self.facts | {f"{name}_seconds": round(seconds, 3) for name, seconds in self._timings()}

    def _timings(self) -> list[tuple[str, float]]:
        return [*((name, self.phase_seconds.get(name, 0.0)) for name in PHASES), ("total", self.total_seconds)]
