"""Stretches of a recording's time, with and without words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of time, in seconds from the recording's start."""

    start_seconds: float
    end_seconds: float

    @property
    def duration_seconds(self) -> float:
        """How long it lasts."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class Segment:
    """Words, and when they are said, in seconds from the recording's start."""

    start_seconds: float
    end_seconds: float
    text: str
