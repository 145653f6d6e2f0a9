"""Spans of a recording's time, with and without words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A span of time, in seconds from the recording's start."""

    start_seconds: float
    end_seconds: float

    @property
    def duration_seconds(self) -> float:
        """Its length."""
        return self.end_seconds - self.start_seconds

    def moved(self, by_seconds: float) -> "Span":
        """The span that begins and ends `by_seconds` later."""
        return Span(self.start_seconds + by_seconds, self.end_seconds + by_seconds)

    @property
    def clock_times(self) -> str:
        """Both ends in the words of a message: `From 0:07 to 1:02:03`."""
        return f"From {clock_time(self.start_seconds)} to {clock_time(self.end_seconds)}"


@dataclass(frozen=True)
class Word:
    """A word and its time, in seconds from the recording's start."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Segment:
    """A sentence or less, and its time, in seconds from the recording's start.

    `words`, `channel` (from 0) and `speaker` are there where a backend reports them.
    """

    start_seconds: float
    end_seconds: float
    text: str
    words: tuple[Word, ...] = ()
    channel: int | None = None
    speaker: str | None = None


def clock_time(seconds: float) -> str:
    """A point in time as players show it: `0:07`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
