"""Which models exist, so that each request goes to one that does."""

import time
from collections.abc import Callable, Iterator
from threading import Lock

from transcriber.api.backend import ApiClient, CallContext
from transcriber.deadline import Deadline
from transcriber.errors import ApiError, RequestedModelNotFoundError, SettingsError
from transcriber.settings import ApiKind, Settings

# The list of models only avoids an upload to a model that is gone, so that fetching it may not take a request's time.
LIST_TIMEOUT_SECONDS = 10.0
LIST_TIMEOUT_SHARE = 0.25
# An instance may live for days: models come and go meanwhile.
LIST_LIFETIME_SECONDS = 600.0
# After a failure to fetch the list: long enough not to cost each request the attempt, short enough to notice a repair.
LIST_RETRY_SECONDS = 60.0
# A model that the API has refused may be back after this.
MISSING_SECONDS = 600.0

# The number of models in a message: enough to choose from, short enough to read.
MAX_MODELS_NAMED = 10


class ModelCatalog:
    """The models that exist, by the API's list, which costs no upload, and by its answers.

    A list is no proof that a model is gone when it names no model that transcribes. Nor is it one for a model that only
    transcribes when it names none of that kind, since a list may hold chat models alone. Such models are called all the
    same, and the API's answer decides.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._listed: frozenset[str] | None = None
        self._fetch_again_at = -float("inf")
        self._missing_until: dict[str, float] = {}
        self._logged: set[str] = set()
        self._without_prompt: set[str] = set()

    def candidates(self, requested: str | None, *, api: ApiClient, context: CallContext) -> Iterator[str]:
        """The models to call, the preferred one first: the `requested` one alone, or those of `MODELS` that may exist.

        `ModelNotFoundError` for a requested model that does not exist; `SettingsError`, after the last candidate, where
        neither the list nor the API knows any model of `MODELS`.
        """
        listed = self._list(api, context)
        if requested is not None:
            self._check(requested, listed)
            yield requested
            return
        models = self._settings.models
        existing = [model for model in models if not self._is_disproved(model, listed)]
        if existing:
            for model in models:
                if model not in existing:
                    self._log_missing(model, context)
        else:
            existing = list(models)
        # When the API has refused all of them, calling them once more is better than nothing.
        yield from [model for model in existing if not self._is_missing(model)] or existing
        if listed is not None and listed.isdisjoint(models) and all(map(self._is_missing, models)):
            raise SettingsError("MODELS", f"none of these models exists{_named(listed)}")

    def mark_missing(self, model: str, context: CallContext) -> None:
        """Pass over `model` for a while: the API has just answered that it does not exist, whatever its list says."""
        self._missing_until[model] = self._clock() + MISSING_SECONDS
        if model in self._settings.models:
            self._log_missing(model, context)

    def takes_prompt(self, model: str) -> bool:
        """Whether `model` has not lost words with a prompt in this instance's life."""
        return model not in self._without_prompt

    def mark_prompt_harmful(self, model: str, context: CallContext) -> None:
        """Give `model` no more prompts: it returned more words without one."""
        if model not in self._without_prompt:
            self._without_prompt.add(model)
            context.log("warning", "a model loses words with a prompt, and gets none from now on", model=model)

    def _is_missing(self, model: str) -> bool:
        return self._clock() < self._missing_until.get(model, -float("inf"))

    def _is_disproved(self, model: str, listed: frozenset[str] | None) -> bool:
        """Whether the list proves that `model` does not exist."""
        if listed is None or model in listed:
            return False
        kinds = {self._settings.api_kind(other) for other in listed}
        if self._settings.api_kind(model) is ApiKind.TRANSCRIPTIONS:
            return ApiKind.TRANSCRIPTIONS in kinds
        return bool(kinds - {None})

    def _log_missing(self, model: str, context: CallContext) -> None:
        if model not in self._logged:
            self._logged.add(model)
            context.log("warning", "a model of MODELS does not exist", model=model)

    def _list(self, api: ApiClient, context: CallContext) -> frozenset[str] | None:
        """The API's list; None while it cannot be fetched."""
        with self._lock:
            if self._clock() >= self._fetch_again_at:
                seconds = min(LIST_TIMEOUT_SECONDS, context.deadline.remaining_seconds() * LIST_TIMEOUT_SHARE)
                try:
                    self._listed = api.models(deadline=Deadline(seconds))
                    self._fetch_again_at = self._clock() + LIST_LIFETIME_SECONDS
                except (ApiError, SettingsError) as error:
                    # The call for a transcript will show whether the key or the address is wrong; a key may also be
                    # allowed to transcribe and not to list, and an API may have no list.
                    self._fetch_again_at = self._clock() + LIST_RETRY_SECONDS
                    context.log("warning", "the list of models cannot be fetched", reason=error.message)
            return self._listed

    def _check(self, requested: str, listed: frozenset[str] | None) -> None:
        if self._is_disproved(requested, listed):
            known = frozenset(model for model in listed or () if self._settings.api_kind(model) is not None)
            raise RequestedModelNotFoundError(f"The model {requested!r} does not exist{_named(known)}.", param="model")
        if self._settings.api_kind(requested) is None:
            message = f"The API of the model {requested!r} is not known; the operator can name it in MODEL_APIS."
            raise RequestedModelNotFoundError(message, param="model")


def _named(models: frozenset[str] | None) -> str:
    return f"; there are {', '.join(sorted(models)[:MAX_MODELS_NAMED])}" if models else ""
