"""Models: which exist is learnt once, and each request goes to one that does."""

import io
import json

import pytest

from transcriber.api.models import ASK_AGAIN_SECONDS, DENIED_SECONDS, LOOK_UP_SECONDS, LOOK_UP_SHARE, ModelCatalog
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ModelNotFoundError, SettingsError
from transcriber.log import JsonLogger
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


def directory(stream: io.StringIO | None = None) -> ModelCatalog:
    return ModelCatalog(SETTINGS, log=JsonLogger(stream=stream or io.StringIO()))


def candidates(models: ModelCatalog, lister: Lister, requested: str | None = None) -> list[str]:
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


class HandClock:
    """A clock that a test sets."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_list_that_cannot_be_had_is_asked_for_again_after_a_while() -> None:
    """While the API does not tell which models exist all are candidates, and it is not asked for each request."""
    clock = HandClock()
    models, lister = ModelCatalog(SETTINGS, log=JsonLogger(stream=io.StringIO()), clock=clock), Lister(WHISPER)
    lister.fails = True
    for _ in range(3):
        assert candidates(models, lister) == [VOXTRAL, WHISPER]
    assert lister.asked == 1
    lister.fails = False
    clock.seconds += ASK_AGAIN_SECONDS
    for _ in range(3):
        assert candidates(models, lister) == [WHISPER]
    assert lister.asked == 2


def test_look_up_may_not_take_the_time_of_a_request() -> None:
    """The look-up is given a short time of its own, and less when the request has less."""
    given: list[float] = []

    class Slow(Lister):
        def models(self, *, deadline: Deadline) -> frozenset[str]:
            given.append(deadline.limit_seconds)
            return self.available

    for seconds in (300, 3):
        list(directory().candidates(None, lister=Slow(VOXTRAL), deadline=Deadline(seconds)))
    assert given == [LOOK_UP_SECONDS, pytest.approx(3 * LOOK_UP_SHARE, abs=0.1)]


def test_denied_model_is_passed_over_for_a_while() -> None:
    """A model that is listed but denied costs one upload, not one for each request, and is tried again later."""
    clock = HandClock()
    models, lister = ModelCatalog(SETTINGS, log=JsonLogger(stream=io.StringIO()), clock=clock), Lister(VOXTRAL, WHISPER)
    models.deny(VOXTRAL)
    assert candidates(models, lister) == [WHISPER]
    assert candidates(models, lister, VOXTRAL) == [VOXTRAL]
    models.deny(WHISPER)
    assert candidates(models, lister) == [VOXTRAL, WHISPER]
    clock.seconds += DENIED_SECONDS
    assert candidates(models, lister) == [VOXTRAL, WHISPER]
    assert lister.asked == 1
