"""The faults of the emulated Generative APIs that can be ordered, and which request meets which."""

import math
import random
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# The default wait after a 429.
DEFAULT_RETRY_AFTER_SECONDS = 1
# The longest request that the platform allows.
MAX_WAIT_SECONDS = 3600.0


class FaultKind(StrEnum):
    """The kind of fault."""

    RATE_LIMITED = "429"
    SERVER_ERROR = "500"
    TIMED_OUT = "504"
    ERROR_IN_200 = "error-in-200"
    EMPTY = "empty"
    LENGTH = "length"
    GARBAGE = "garbage"
    WAIT = "wait"
    RESET = "reset"
    CUT = "cut"
    REPEAT = "repeat"
    SHORT = "short"
    WRAPPED = "wrapped"


# These do not depend on the request's body, so they can happen before it is read.
EARLY_KINDS = frozenset({FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR, FaultKind.TIMED_OUT, FaultKind.RESET})
# These change a text, so that a request without one does not meet them.
TEXT_KINDS = frozenset({FaultKind.EMPTY, FaultKind.LENGTH, FaultKind.REPEAT, FaultKind.SHORT, FaultKind.WRAPPED})


class Fault(BaseModel):
    """An order: the next `count` requests that match `model` and `path` (any, where `None`) meet this fault.

    With a `share`, each matching request meets it with that probability, drawn once for a request and order by a
    generator that starts at `seed`; without a `count`, the order then stands until the faults are cleared.
    `retry_after` is the header of that name, seconds or any text, `None` for no header; `seconds` is the length of
    `wait`; an `early` fault happens before the request's body is read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    fault: FaultKind = Field(strict=False)
    count: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    model: str | None = None
    path: str | None = Field(default=None, pattern=r"^/v1/")
    retry_after: float | str | None = None
    seconds: float = Field(default=1.0, ge=0, le=MAX_WAIT_SECONDS)
    early: bool = False

    @model_validator(mode="after")
    def _can_be_early(self) -> Self:
        if self.early and (self.fault not in EARLY_KINDS or self.model is not None):
            raise ValueError("only 429, 500, 504 and reset can be early, and only without a model to match")
        return self

    @property
    def strikes(self) -> float:
        """The number of times until the order is done."""
        return self.count or (1 if self.share is None else math.inf)

    @property
    def retry_after_header(self) -> str | None:
        """The value of `Retry-After`; a 429 has one unless the order says `null`."""
        if "retry_after" not in self.model_fields_set:
            return str(DEFAULT_RETRY_AFTER_SECONDS) if self.fault is FaultKind.RATE_LIMITED else None
        return f"{self.retry_after:g}" if isinstance(self.retry_after, float | int) else self.retry_after

    def matches(self, path: str, model: str | None, *, early: bool, wants_text: bool) -> bool:
        """Whether a request meets this fault at this point."""
        return (
            self.early == early
            and self.path in {None, path}
            and self.model in {None, model}
            and (wants_text or self.fault not in TEXT_KINDS)
        )


@dataclass
class _OpenOrder:
    """An order, the number of times that are left, and the generator that decides whether it applies."""

    fault: Fault
    left: float
    dice: random.Random

    def strikes(self) -> bool:
        return self.fault.share is None or self.dice.random() < self.fault.share


class FaultOrders:
    """The open orders, each with the number of times that are left; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[_OpenOrder] = []

    def add(self, fault: Fault) -> None:
        """Add an order after the open ones."""
        with self._lock:
            # The same seed gives the same faults, so that a bad day can be repeated.
            self._open.append(_OpenOrder(fault, fault.strikes, random.Random(fault.seed)))  # noqa: S311 # no secret

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._open.clear()

    def take(
        self, path: str, model: str | None = None, *, early: bool = False, wants_text: bool = True
    ) -> Fault | None:
        """The fault of this request, counted down: that of the oldest open order that matches and applies."""
        with self._lock:
            for order in self._open:
                if order.fault.matches(path, model, early=early, wants_text=wants_text) and order.strikes():
                    order.left -= 1
                    if order.left < 1:
                        self._open.remove(order)
                    return order.fault
        return None
