"""Models: which exist is learnt once, and each request goes to one that does."""

import io
import json

import pytest

from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ModelNotFoundError, SettingsError
from transcriber.log import JsonLog
from transcriber.models import ModelDirectory
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key")
VOXTRAL, WHISPER = SETTINGS.models


class Lister:
    """Says which models exist, and counts how often it was asked."""

    def __init__(self, *models: str) -> None:
        self.available = frozenset(models)
        self.asked = 0
        self.fails = False

    def models(self, *, deadline: Deadline) -> frozenset[str]:  # noqa: ARG002 # the interface's
        self.asked += 1
        if self.fails:
            raise ApiFailedError("The API answered 500: no")
        return self.available


def directory(stream: io.StringIO | None = None) -> ModelDirectory:
    return ModelDirectory(SETTINGS, log=JsonLog(stream=stream or io.StringIO()))


def candidates(models: ModelDirectory, lister: Lister, requested: str | None = None) -> list[str]:
    return list(models.candidates(requested, lister=lister, deadline=Deadline(10)))


def test_preferred_first_and_asked_once() -> None:
    """The models of MODELS that exist are tried in their order, and the API is asked once for all requests."""
    models, lister = directory(), Lister(WHISPER, VOXTRAL, "llama")
    for _ in range(3):
        assert candidates(models, lister) == [VOXTRAL, WHISPER]
    assert lister.asked == 1


def test_retired_model_is_passed_over_and_logged_once() -> None:
    """A model that does not exist any more means the next one, and one line in the log."""
    stream = io.StringIO()
    models, lister = directory(stream), Lister(WHISPER)
    for _ in range(3):
        assert candidates(models, lister) == [WHISPER]
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["model"] == VOXTRAL


def test_requested_model_is_the_only_one() -> None:
    """A model in the request is the only candidate, whether or not it is in MODELS."""
    assert candidates(directory(), Lister(VOXTRAL, "whisper-tiny"), "whisper-tiny") == ["whisper-tiny"]


def test_requested_model_that_does_not_exist() -> None:
    """A model in the request that does not exist is an error that names those that transcribe."""
    with pytest.raises(ModelNotFoundError, match="'gpt' does not exist; there are voxtral") as caught:
        candidates(directory(), Lister(VOXTRAL, WHISPER, "llama"), "gpt")
    assert (caught.value.param, caught.value.status) == ("model", 422)
    assert "llama" not in caught.value.message


def test_requested_model_of_an_unknown_api() -> None:
    """A model of which nobody knows the API is refused with the setting that would tell."""
    with pytest.raises(ModelNotFoundError, match="MODEL_APIS"):
        candidates(directory(), Lister(VOXTRAL, "llama"), "llama")


def test_no_model_of_the_setting_exists() -> None:
    """When none of MODELS exists, the setting is what is wrong."""
    with pytest.raises(SettingsError, match=r"^MODELS: none of these models exists; there are llama"):
        candidates(directory(), Lister("llama"))


def test_list_that_cannot_be_had_is_asked_for_again() -> None:
    """While the API does not tell which models exist all are candidates, and the next request asks again."""
    models, lister = directory(), Lister(WHISPER)
    lister.fails = True
    assert candidates(models, lister) == [VOXTRAL, WHISPER]
    lister.fails = False
    assert candidates(models, lister) == [WHISPER]
    assert candidates(models, lister) == [WHISPER]
    assert lister.asked == 2


def test_doubt_asks_again() -> None:
    """When the API denies a model that it listed, the list is asked for again at the next request."""
    models, lister = directory(), Lister(VOXTRAL, WHISPER)
    assert candidates(models, lister) == [VOXTRAL, WHISPER]
    lister.available = frozenset({WHISPER})
    models.doubt(VOXTRAL)
    assert candidates(models, lister) == [WHISPER]
    assert lister.asked == 2
