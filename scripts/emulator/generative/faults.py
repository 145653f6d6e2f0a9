"""The faults of the emulated Generative APIs on demand, and the choice of the requests that they hit."""

import math
import threading
from dataclasses import dataclass
from enum import StrEnum
from random import Random
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
# These change a text, so they hit only requests for one.
TEXT_KINDS = frozenset({FaultKind.EMPTY, FaultKind.LENGTH, FaultKind.REPEAT, FaultKind.SHORT, FaultKind.WRAPPED})


class Fault(BaseModel):
    """A fault to inject: it hits the next `count` requests that match `model` and `path` (`None`: any).

    With a `share`, it hits each matching request with that probability, drawn once for a request and fault by a
    generator that starts at `seed`; without a `count`, it then stays active until the faults are cleared.
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
    def max_hits(self) -> float:
        """The number of requests that the fault hits; infinite if it has no limit."""
        return self.count or (1 if self.share is None else math.inf)

    @property
    def retry_after_header(self) -> str | None:
        """The value of `Retry-After`; a 429 has one unless the fault has `null`."""
        if "retry_after" not in self.model_fields_set:
            return str(DEFAULT_RETRY_AFTER_SECONDS) if self.fault is FaultKind.RATE_LIMITED else None
        return f"{self.retry_after:g}" if isinstance(self.retry_after, float | int) else self.retry_after

    def matches(self, path: str, model: str | None, *, early: bool, wants_text: bool) -> bool:
        """Whether the fault can hit a request at this point, before a `share` is drawn."""
        return (
            self.early == early
            and self.path in {None, path}
            and self.model in {None, model}
            and (wants_text or self.fault not in TEXT_KINDS)
        )


@dataclass
class _ActiveFault:
    """A fault, the number of hits that are left, and the generator that draws its share."""

    fault: Fault
    left: float
    random: Random

    def is_drawn(self) -> bool:
        return self.fault.share is None or self.random.random() < self.fault.share


class InjectedFaults:
    """The active faults, each with the number of hits that are left; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[_ActiveFault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault after the active ones."""
        with self._lock:
            # The same seed hits the same requests, so that a run can be repeated.
            self._active.append(_ActiveFault(fault, fault.max_hits, Random(fault.seed)))  # noqa: S311 # not a secret

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._active.clear()

    def take(
        self, path: str, model: str | None = None, *, early: bool = False, wants_text: bool = True
    ) -> Fault | None:
        """The oldest active fault that hits this request, counted down; `None` if none does."""
        with self._lock:
            for active in self._active:
                if active.fault.matches(path, model, early=early, wants_text=wants_text) and active.is_drawn():
                    active.left -= 1
                    if active.left < 1:
                        self._active.remove(active)
                    return active.fault
        return None
