"""What all checks of a run share: its settings, its time, its sample, its clean-up."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from transcriber.deadline import Deadline
from transcriber.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLE: Final = ROOT / "tests" / "audio" / "jfk.mp3"
SAMPLE_SECONDS: Final = 11.088
# A run takes less than a minute, its clean-up included.
LIMIT_SECONDS: Final = 52.0
CLEAN_UP_SECONDS: Final = 6.0


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


class CleanUp:
    """What a run has written, to be removed at its end, whatever happens."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], None]]] = []

    def add(self, what: str, remove: Callable[[], None]) -> None:
        """Have `remove` called at the end; `what` is named where it fails."""
        self._steps.append((what, remove))

    def run(self) -> list[str]:
        """Remove everything, the last first; what could not be removed."""
        left: list[str] = []
        while self._steps:
            what, remove = self._steps.pop()
            try:
                remove()
            except Exception as error:  # noqa: BLE001 # the rest has to be removed all the same
                left.append(f"{what} ({type(error).__name__})")
        return left


@dataclass
class Run:
    """One run of `scripts/verify`."""

    settings: Settings
    bucket: str | None = None
    prefix: str = "incoming/"
    sample: bytes = b""
    sample_seconds: float = SAMPLE_SECONDS
    is_paying: bool = True
    function_timeout_seconds: float | None = None
    function_region: str | None = None
    deadline: Deadline = field(default_factory=lambda: Deadline(LIMIT_SECONDS))
    clean_up: CleanUp = field(default_factory=CleanUp)
    now: Callable[[], datetime] = utc_now
    started: float = field(default_factory=time.monotonic)

    def skew(self, date: datetime | None) -> float | None:
        """Seconds that this machine's clock is ahead of a server whose answer has just come with its `date`."""
        return None if date is None else (self.now() - date).total_seconds()

    def begin_clean_up(self) -> None:
        """Give the clean-up its own time, whatever the checks have used up."""
        self.deadline = Deadline(CLEAN_UP_SECONDS)

    def price(self, model: str, audio_seconds: float) -> str:
        """What so much audio costs, in the words of a message."""
        price = self.settings.prices.get(model)
        if price is None:
            return f"{audio_seconds:.0f} s in all (PRICES has no price of {model})"
        return f"{audio_seconds:.0f} s in all, {price * audio_seconds / 60:.4f} by PRICES"


def warn(text: str) -> None:
    """Write what the run itself could not do."""
    print(text, file=sys.stderr)
