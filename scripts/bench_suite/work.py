"""What is asked of each contender, and what its process tells of having done it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

KEY = "benchmark"


class Contender(StrEnum):
    """Who does the work, or, at a cold start, a part of it."""

    SEED = "seed"
    SDK = "sdk"
    OURS = "ours"
    FLOOR = "floor"
    REQUESTS = "requests"
    BARE = "bare"


# Those that have a recording transcribed, each by a module of its name.
TRANSCRIBERS: Final = (Contender.SEED, Contender.SDK, Contender.OURS, Contender.FLOOR)


class Backend(StrEnum):
    """Which of the two APIs is called."""

    CHAT = "chat"
    TRANSCRIPTIONS = "transcriptions"


@dataclass(frozen=True)
class Work:
    """A recording to have transcribed: at `url`, or as base64 in `body`."""

    backend: Backend
    url: str | None = None
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Outcome:
    """What came of it; `peak_bytes` are resident and over what the process had before the request."""

    transcript: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


Transcribe: TypeAlias = Callable[[Work], str]
