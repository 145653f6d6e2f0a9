"""The progress bar: for people, so on stderr, and only if that is a terminal."""

import sys
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from transcribe_client.recordings import Recording

# The names of recordings in work that are shown.
SHOWN_NAMES = 2
# An upload moves with each block; a person sees ten changes a second.
REDRAWN_SECONDS = 0.1


class Progress:
    """How far all recordings are: each is 1, and moves while it is in work. It never goes back."""

    def __init__(self, number: int) -> None:
        self._lock = Lock()
        self._shown_at = 0.0
        self._shares: dict[str, float] = {}
        self._states: dict[str, str] = {}
        self._bar: tqdm[Any] = tqdm(
            total=number,
            leave=False,
            disable=None if sys.stderr.isatty() else True,
            bar_format="{percentage:3.0f}%|{bar:20}| {elapsed} {desc}",
        )

    def move(self, recording: Recording, share: float, state: str) -> None:
        """A recording is done up to `share`, 0 to 1, and in this state."""
        with self._lock:
            before = self._shares.get(recording.name, 0.0)
            self._shares[recording.name] = max(before, share)
            self._states[recording.name] = state
            self._show()

    def end(self, recording: Recording) -> None:
        """A recording is done, or has failed."""
        with self._lock:
            self._shares[recording.name] = 1.0
            self._states.pop(recording.name, None)
            self._show()

    def say(self, text: str, *, to_stdout: bool = False) -> None:
        """Print a line above the bar."""
        file = sys.stdout if to_stdout else sys.stderr
        with self._lock:
            self._bar.write(text, file=file)
            file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def _show(self) -> None:
        shown = [f"{name.rsplit('/', 1)[-1]}: {state}" for name, state in self._states.items()]
        further = f", {len(shown) - SHOWN_NAMES} more" if len(shown) > SHOWN_NAMES else ""
        self._bar.set_description_str(", ".join(shown[:SHOWN_NAMES]) + further, refresh=False)
        self._bar.n = sum(self._shares.values())
        if monotonic() - self._shown_at >= REDRAWN_SECONDS:
            self._shown_at = monotonic()
            self._bar.refresh()
