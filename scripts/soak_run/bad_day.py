"""The faults of a soak: what fails, with which probability (from a seed), and how often it happened."""

from typing import Any, Final

from emulator.control.client import ControlClient
from emulator.generative.server import GenerativeServer

# A fifth of all calls of the API fails, in each of these ways equally often.
FAILED_CALLS: Final = 0.2
WAYS_TO_FAIL: Final = ("429", "500", "504", "error-in-200", "garbage", "reset")
CALLS_PATH: Final = "/v1/audio/transcriptions"

# Shares of the deliveries of messages.
KILLED: Final = 0.02
# A recording of this length takes a fifth of a second, or a second more where a call is retried.
KILLED_WITHIN_SECONDS: Final = 0.5
DOUBLED: Final = 0.1
ANSWERS_LOST: Final = 0.05

# More than any run uses; the platform counts it down, which tells how often a fault happened.
_ENDLESS: Final = 1_000_000


class BadDay:
    """The faults, which are ordered on construction."""

    def __init__(self, apis: GenerativeServer, control: ControlClient, seed: int) -> None:
        self._control = control
        left = 1.0
        for number, kind in enumerate(WAYS_TO_FAIL):
            # Each order applies to the calls that the orders before it did not hit.
            share = FAILED_CALLS / len(WAYS_TO_FAIL)
            apis.fault(kind, share=share / left, seed=seed + number, path=CALLS_PATH, **_quick(kind))
            left -= share
        control.fault("kill", count=_ENDLESS, share=KILLED, seed=seed, trigger="queue", seconds=KILLED_WITHIN_SECONDS)
        control.fault("double", count=_ENDLESS, share=DOUBLED, seed=seed + 1, trigger="queue")
        control.fault("lose", count=_ENDLESS, share=ANSWERS_LOST, seed=seed + 2, trigger="queue")

    def struck(self) -> dict[str, int]:
        """How often each fault of the platform has struck."""
        return {fault["fault"]: _ENDLESS - fault["left"] for fault in self._control.platform()["faults"]}


def _quick(kind: str) -> dict[str, Any]:
    return {"retry_after": 0.5} if kind == "429" else {}
