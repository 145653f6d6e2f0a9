"""The faults of the platform that can be ordered, and which request meets which."""

import threading
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emulator.generative.faults import MAX_WAIT_SECONDS
from emulator.state.platform_state import FaultState, Trigger


class PlatformFaultKind(StrEnum):
    """The kind of fault: an instance is killed, a message delivered twice at once, an answer lost."""

    KILL = "kill"
    DOUBLE = "double"
    LOSE = "lose"


class PlatformFault(BaseModel):
    """An order: requests of `trigger` (any, where `None`) meet this fault, `count` of them (`None`: no end).

    Each matching request meets it with the probability `share`, drawn by a generator of its own that starts at `seed`.
    `kill` happens at a random moment of the first `seconds` of the handler's run, or at its end if that is earlier.
    `lose` breaks the connection after the handler has run, or, with a `status`, sends that one instead.
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
            raise ValueError("only messages of the queue are doubled")
        if self.seconds and self.fault is not PlatformFaultKind.KILL:
            raise ValueError("seconds are for kill alone")
        if self.status is not None and self.fault is not PlatformFaultKind.LOSE:
            raise ValueError("a status is for lose alone")
        return self


@dataclass(frozen=True)
class Strike:
    """The fault of one request: a kill after this many seconds of the handler, or this status (`None`: a reset)."""

    after_seconds: float
    status: int | None


class PlatformFaults:
    """The open orders, each with its own random generator; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[_Order] = []

    def add(self, fault: PlatformFault) -> None:
        """Add an order after the open ones."""
        with self._lock:
            self._open.append(_Order(fault))

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._open.clear()

    def take(self, kind: PlatformFaultKind, trigger: Trigger) -> Strike | None:
        """The fault of this kind for a request, by the oldest open order that applies; it is counted down."""
        with self._lock:
            struck = next((order for order in self._open if order.strikes(kind, trigger)), None)
            if struck is None:
                return None
            if struck.left is not None:
                struck.left -= 1
                if struck.left == 0:
                    self._open.remove(struck)
            return Strike(after_seconds=struck.dice.uniform(0, struck.fault.seconds), status=struck.fault.status)

    def states(self) -> tuple[FaultState, ...]:
        """The open orders, oldest first."""
        with self._lock:
            return tuple(FaultState(order.fault.fault.value, order.left, order.fault.share) for order in self._open)


class _Order:
    """An open order, the number of times that are left, and its random generator."""

    def __init__(self, fault: PlatformFault) -> None:
        self.fault = fault
        self.left = fault.count
        self.dice = Random(fault.seed)  # noqa: S311 # for runs that can be repeated

    def strikes(self, kind: PlatformFaultKind, trigger: Trigger) -> bool:
        fault = self.fault
        if fault.fault is not kind or fault.trigger not in {None, trigger}:
            return False
        return self.dice.random() < fault.share
