"""The work that each contender gets, and the results that its process sends back."""

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


# The contenders that transcribe, each in the module with its name.
TRANSCRIBERS: Final = (Contender.SEED, Contender.SDK, Contender.OURS, Contender.FLOOR)


class Backend(StrEnum):
    """Which of the two APIs is called."""

    CHAT = "chat"
    TRANSCRIPTIONS = "transcriptions"


@dataclass(frozen=True)
class Work:
    """A recording to transcribe: at `url`, or as base64 in `body`."""

    backend: Backend
    url: str | None = None
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Outcome:
    """The result of one piece of work; `peak_bytes` is the resident peak minus what was resident before."""

    transcript: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


Transcribe: TypeAlias = Callable[[Work], str]
