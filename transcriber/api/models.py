"""Knows which models there are, so that each request goes to one that exists."""

import time
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Protocol

from transcriber.deadline import Deadline
from transcriber.errors import ApiError, ModelNotFoundError, SettingsError
from transcriber.log import JsonLogger
from transcriber.settings import Settings

# The look-up only spares an upload to a model that is gone, so it may not take the time of a request.
LOOK_UP_SECONDS = 10.0
LOOK_UP_SHARE = 0.25
# After a look-up that failed, and for a model that is listed but denied: long enough not to cost each request an upload
# or a look-up, short enough that what was mended is found.
ASK_AGAIN_SECONDS = 60.0
DENIED_SECONDS = 600.0

# How many models a message names: enough to choose from, short enough to read.
MAX_MODELS_NAMED = 10


class ModelLister(Protocol):
    """The part of the API that tells which models exist."""

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        """The names of the models that exist."""
        ...


class ModelCatalog:
    """The models that exist: asked for once in an instance's life, which costs no upload."""

    def __init__(self, settings: Settings, *, log: JsonLogger, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._log = log
        self._clock = clock
        self._lock = Lock()
        self._available: frozenset[str] | None = None
        self._ask_again_at = -float("inf")
        self._denied_until: dict[str, float] = {}
        self._logged: set[str] = set()

    def candidates(self, requested: str | None, *, lister: ModelLister, deadline: Deadline) -> Iterator[str]:
        """The models to try, the preferred one first: the `requested` one alone, or those of `MODELS` that exist.

        `ModelNotFoundError` for a requested model that is none; `SettingsError` when no model of `MODELS` exists.
        """
        available = self._learn(lister, deadline)
        if requested is not None:
            self._check(requested, available)
            yield requested
            return
        existing = [model for model in self._settings.models if available is None or model in available]
        if not existing:
            raise SettingsError("MODELS", f"none of these models exists{_named(available or frozenset())}")
        for model in self._settings.models:
            if model not in existing:
                self._log_missing(model)
        # When the API has denied all of them, there is nothing better than to ask it for them again.
        yield from [model for model in existing if not self._is_denied(model)] or existing

    def deny(self, model: str) -> None:
        """Pass over `model` for a while: the API has just answered that it does not exist, whatever its list says."""
        self._denied_until[model] = self._clock() + DENIED_SECONDS
        if model in self._settings.models:
            self._log_missing(model)

    def _is_denied(self, model: str) -> bool:
        return self._clock() < self._denied_until.get(model, -float("inf"))

    def _log_missing(self, model: str) -> None:
        if model not in self._logged:
            self._logged.add(model)
            self._log("warning", "a model of MODELS does not exist", model=model)

    def _learn(self, lister: ModelLister, deadline: Deadline) -> frozenset[str] | None:
        """The models that exist, or None while nobody can tell; then it is asked again after a while."""
        with self._lock:
            if self._available is None and self._clock() >= self._ask_again_at:
                seconds = min(LOOK_UP_SECONDS, deadline.remaining_seconds() * LOOK_UP_SHARE)
                try:
                    self._available = lister.models(deadline=Deadline(seconds))
                except (ApiError, SettingsError) as error:
                    # The call for a transcript will tell whether the key or the address is wrong; a key may also be
                    # one that may transcribe and not list, and an API one that has no list.
                    self._ask_again_at = self._clock() + ASK_AGAIN_SECONDS
                    self._log("warning", "the API does not tell which models exist", reason=error.message)
            return self._available

    def _check(self, requested: str, available: frozenset[str] | None) -> None:
        if available is not None and requested not in available:
            known = frozenset(model for model in available if self._settings.api_kind(model) is not None)
            raise ModelNotFoundError(f"The model {requested!r} does not exist{_named(known)}.", param="model")
        if self._settings.api_kind(requested) is None:
            message = f"Which API the model {requested!r} speaks is not known; the operator can say so in MODEL_APIS."
            raise ModelNotFoundError(message, param="model")


def _named(models: frozenset[str]) -> str:
    return f"; there are {', '.join(sorted(models)[:MAX_MODELS_NAMED])}" if models else ""
