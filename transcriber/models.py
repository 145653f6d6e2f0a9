"""Knows which models there are, so that each request goes to one that exists."""

from collections.abc import Iterator
from threading import Lock
from typing import Protocol

from transcriber.deadline import Deadline
from transcriber.errors import ApiError, ModelNotFoundError, SettingsError
from transcriber.log import JsonLog
from transcriber.settings import Settings

# How many models a message names: enough to choose from, short enough to read.
MAX_MODELS_NAMED = 10


class ModelLister(Protocol):
    """The part of the API that tells which models exist."""

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        """The names of the models that exist."""
        ...


class ModelDirectory:
    """The models that exist: asked for once in an instance's life, which costs no upload."""

    def __init__(self, settings: Settings, *, log: JsonLog) -> None:
        self._settings = settings
        self._log = log
        self._lock = Lock()
        self._available: frozenset[str] | None = None
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
        found = False
        for model in self._settings.models:
            if available is None or model in available:
                found = True
                yield model
            else:
                self._log_missing(model)
        if not found:
            raise SettingsError("MODELS", f"none of these models exists{_named(available or frozenset())}")

    def doubt(self, model: str) -> None:
        """Ask anew which models exist, at the next request: the API has just denied that `model` does."""
        self._log_missing(model)
        with self._lock:
            self._available = None

    def _log_missing(self, model: str) -> None:
        if model not in self._logged:
            self._logged.add(model)
            self._log("warning", "model does not exist, the next one of MODELS is used", model=model)

    def _learn(self, lister: ModelLister, deadline: Deadline) -> frozenset[str] | None:
        """The models that exist, or None while nobody can tell; then the next request asks again."""
        with self._lock:
            if self._available is None:
                try:
                    self._available = lister.models(deadline=deadline)
                except ApiError as error:
                    self._log("warning", "the API does not tell which models exist", reason=error.message)
            return self._available

    def _check(self, requested: str, available: frozenset[str] | None) -> None:
        if available is not None and requested not in available:
            known = frozenset(model for model in available if self._settings.api_of(model) is not None)
            raise ModelNotFoundError(f"The model {requested!r} does not exist{_named(known)}.", param="model")
        if self._settings.api_of(requested) is None:
            message = f"Which API the model {requested!r} speaks is not known; the operator can say so in MODEL_APIS."
            raise ModelNotFoundError(message, param="model")


def _named(models: frozenset[str]) -> str:
    return f"; there are {', '.join(sorted(models)[:MAX_MODELS_NAMED])}" if models else ""
