"""The models of the emulated Generative APIs, which can be replaced, and the abilities of each."""

import threading
from collections.abc import Sequence
from enum import StrEnum

from emulator.generative.errors import ApiError

VOXTRAL = "voxtral-small-24b-2507"
WHISPER = "whisper-large-v3"
DEFAULT_MODELS = (WHISPER, VOXTRAL)

# Scaleway's table of audio transcription models: Voxtral takes 30 minutes, Whisper has no limit there.
VOXTRAL_MAX_DURATION_SECONDS = 30 * 60.0


class Api(StrEnum):
    """The API that serves a model, as an error names it."""

    CHAT = "Chat Completions"
    TRANSCRIPTIONS = "Audio Transcriptions"


class Models:
    """The models that exist now; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: tuple[str, ...] = DEFAULT_MODELS

    def names(self) -> tuple[str, ...]:
        """The models' names, in the order of the list."""
        with self._lock:
            return self._names

    def replace(self, names: Sequence[str] = DEFAULT_MODELS) -> None:
        """Replace all models by `names`."""
        with self._lock:
            self._names = tuple(names)

    def require(self, name: str, api: Api) -> None:
        """Raise `ApiError` unless the model exists (422) and `api` serves it (400)."""
        if name not in self.names():
            raise ApiError(422, f"The model {name!r} does not exist", param="model", code="model_not_found")
        if api is Api.CHAT and only_transcribes(name):
            raise ApiError(400, f"The model {name!r} does not support the {api} API", param="model")


def only_transcribes(model: str) -> bool:
    """Whether the model is a Whisper, which is not a chat model; chat models with audio also transcribe."""
    return "whisper" in model.lower()


def has_token_quota(model: str) -> bool:
    """Whether a quota limits the model's tokens a minute: a Whisper is billed by the second, and has none."""
    return not only_transcribes(model)


def max_duration_seconds(model: str) -> float | None:
    """The longest audio that the model takes; `None` if there is no limit."""
    return None if only_transcribes(model) else VOXTRAL_MAX_DURATION_SECONDS
