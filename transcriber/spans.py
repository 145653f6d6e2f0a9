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


def clock_time(seconds: float) -> str:
    """A point in time as players show it: `0:07`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
