"""The platform's faults on demand, and the choice of the requests that they hit."""

import threading
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emulator.generative.faults import MAX_WAIT_SECONDS
from emulator.state.platform_state import FaultState, Trigger


class PlatformFaultKind(StrEnum):
    """The kind of fault: an instance is killed, a message is delivered twice at once, or an answer is lost."""

    KILL = "kill"
    DOUBLE = "double"
    LOSE = "lose"


class PlatformFault(BaseModel):
    """A fault to inject: it hits `count` requests (`None`: no limit) of `trigger` (`None`: of any).

    It hits each matching request with the probability `share`, drawn by a generator of its own that starts at `seed`.
    `kill` happens at a random moment of the first `seconds` of the handler's run, or at its end if that is earlier.
    `lose` breaks the connection after the handler has run, or, with a `status`, sends that status instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    fault: PlatformFaultKind = Field(strict=False)
    count: int | None = Field(default=1, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    trigger: Trigger | None = None
    seconds: float = Field(default=0.0, ge=0, le=MAX_WAIT_SECONDS)
    status: Literal[500, 502, 503, 504] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.fault is PlatformFaultKind.DOUBLE and self.trigger not in {None, "queue"}:
            raise ValueError("only messages of the queue can be doubled")
        if self.seconds and self.fault is not PlatformFaultKind.KILL:
            raise ValueError("seconds is only for kill")
        if self.status is not None and self.fault is not PlatformFaultKind.LOSE:
            raise ValueError("status is only for lose")
        return self


@dataclass(frozen=True)
class FaultEffect:
    """A fault's effect on one request: a kill after this time in the handler, or this status (`None`: a reset)."""

    kill_after_seconds: float
    status: int | None


class PlatformFaults:
    """The active faults, each with its own random generator; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[_ActiveFault] = []

    def add(self, fault: PlatformFault) -> None:
        """Add a fault after the active ones."""
        with self._lock:
            self._active.append(_ActiveFault(fault))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._active.clear()

    def take(self, kind: PlatformFaultKind, trigger: Trigger) -> FaultEffect | None:
        """The effect on a request of the oldest active fault of this kind that hits it; counts that fault down."""
        with self._lock:
            hit = next((active for active in self._active if active.hits(kind, trigger)), None)
            if hit is None:
                return None
            if hit.left is not None:
                hit.left -= 1
                if hit.left == 0:
                    self._active.remove(hit)
            return FaultEffect(kill_after_seconds=hit.random.uniform(0, hit.fault.seconds), status=hit.fault.status)

    def states(self) -> tuple[FaultState, ...]:
        """The active faults, oldest first."""
        with self._lock:
            return tuple(
                FaultState(active.fault.fault.value, active.left, active.fault.share) for active in self._active
            )


class _ActiveFault:
    """A fault, the number of hits that are left, and its random generator."""

    def __init__(self, fault: PlatformFault) -> None:
        self.fault = fault
        self.left = fault.count
        self.random = Random(fault.seed)  # noqa: S311 # so that a run can be repeated

    def hits(self, kind: PlatformFaultKind, trigger: Trigger) -> bool:
        fault = self.fault
        if fault.fault is not kind or fault.trigger not in {None, trigger}:
            return False
        return self.random.random() < fault.share
