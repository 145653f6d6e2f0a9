"""Models: which exist is known from a list that expires, and each request goes to one that does."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from transcriber.api.backend import CallContext
from transcriber.api.models import (
    LIST_LIFETIME_SECONDS,
    LIST_RETRY_SECONDS,
    LIST_TIMEOUT_SECONDS,
    LIST_TIMEOUT_SHARE,
    MISSING_SECONDS,
    ModelCatalog,
)
from transcriber.api.request_body import RequestBody
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ModelNotFoundError, SettingsError
from transcriber.request_log import JsonLogger
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key", models=("voxtral-small", "whisper-large"))
VOXTRAL, WHISPER = SETTINGS.models


class Api:
    """An API that lists models, and counts how often."""

    def __init__(self, *models: str) -> None:
        self.available = frozenset(models)
        self.requests = 0
        self.timeouts: list[float] = []
        self.fails = False

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        self.requests += 1
        self.timeouts.append(deadline.limit_seconds)
        if self.fails:
            raise ApiFailedError("The API answered 500: no")
        return self.available

    def post(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], object],
        *,
        context: CallContext,
        audio_seconds: float = 0.0,
    ) -> Any:
        raise AssertionError(path, make_body, read, context, audio_seconds)

    def expected_seconds(self, audio_seconds: float) -> float:
        raise AssertionError(audio_seconds)


class HandClock:
    """A clock that a test sets."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def context(seconds: float = 10, stream: io.StringIO | None = None) -> CallContext:
    return CallContext(Deadline(seconds), log=JsonLogger(stream=stream or io.StringIO()))


def candidates(catalog: ModelCatalog, api: Api, requested: str | None = None) -> list[str]:
    return list(catalog.candidates(requested, api=api, context=context()))


def test_list_is_fetched_once_for_many_requests() -> None:
    """The models of MODELS that exist are candidates in their order, and one list serves all requests."""
    catalog, api = ModelCatalog(SETTINGS), Api(WHISPER, VOXTRAL, "llama")
    for _ in range(3):
        assert candidates(catalog, api) == [VOXTRAL, WHISPER]
    assert api.requests == 1


def test_list_expires() -> None:
    """An instance that lives for long notices that a model has come or gone."""
    clock = HandClock()
    catalog, api = ModelCatalog(SETTINGS, clock=clock), Api(WHISPER)
    assert candidates(catalog, api) == [WHISPER]
    api.available = frozenset({WHISPER, VOXTRAL})
    assert candidates(catalog, api) == [WHISPER]
    clock.seconds += LIST_LIFETIME_SECONDS
    assert candidates(catalog, api) == [VOXTRAL, WHISPER]
    assert api.requests == 2


def test_retired_model_is_passed_over_and_logged_once() -> None:
    """A model that no longer exists means the next one, and one line in the log."""
    stream = io.StringIO()
    catalog, api = ModelCatalog(SETTINGS), Api(WHISPER)
    for _ in range(3):
        assert list(catalog.candidates(None, api=api, context=context(stream=stream))) == [WHISPER]
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["model"] == VOXTRAL


@pytest.mark.parametrize("listed", [[], ["llama"], ["whisper-tiny", "voxtral-mini"]])
def test_list_that_names_none_of_models_is_no_proof(listed: list[str]) -> None:
    """With a list that names none of MODELS, all of them are candidates, in an instance's whole life."""
    catalog, api = ModelCatalog(SETTINGS), Api(*listed)
    for _ in range(2):
        assert candidates(catalog, api) == [VOXTRAL, WHISPER]


def test_list_of_chat_models_is_no_proof_about_the_others() -> None:
    """A list may hold chat models alone: a model that only transcribes may exist all the same."""
    catalog, api = ModelCatalog(SETTINGS), Api(VOXTRAL, "llama")
    assert candidates(catalog, api) == [VOXTRAL, WHISPER]
    assert candidates(catalog, api, WHISPER) == [WHISPER]


def test_setting_is_wrong_when_neither_list_nor_api_knows_a_model() -> None:
    """When the API refuses every model of MODELS, and lists none of them, the setting is the error."""
    catalog, api = ModelCatalog(SETTINGS), Api("llama")
    models = catalog.candidates(None, api=api, context=context())
    catalog.mark_missing(next(models), context())
    catalog.mark_missing(next(models), context())
    with pytest.raises(SettingsError, match=r"^MODELS: none of these models exists; there are llama"):
        next(models)


def test_requested_model_is_the_only_one() -> None:
    """A model in the request is the only candidate, whether or not it is in MODELS."""
    assert candidates(ModelCatalog(SETTINGS), Api(VOXTRAL, "whisper-tiny"), "whisper-tiny") == ["whisper-tiny"]


def test_requested_model_that_does_not_exist() -> None:
    """A model in the request that does not exist is an error that names those that transcribe."""
    with pytest.raises(ModelNotFoundError, match="'gpt' does not exist; there are voxtral") as caught:
        candidates(ModelCatalog(SETTINGS), Api(VOXTRAL, WHISPER, "llama"), "gpt")
    assert (caught.value.param, caught.value.status) == ("model", 422)
    assert "llama" not in caught.value.message


def test_requested_model_of_an_unknown_api() -> None:
    """A model whose API is not known is refused, with the setting that names it."""
    with pytest.raises(ModelNotFoundError, match="MODEL_APIS"):
        candidates(ModelCatalog(SETTINGS), Api(VOXTRAL, "llama"), "llama")


def test_list_that_cannot_be_fetched_is_fetched_again_after_a_while() -> None:
    """Without a list, all of MODELS are candidates, and not each request tries to fetch it."""
    clock = HandClock()
    catalog, api = ModelCatalog(SETTINGS, clock=clock), Api(WHISPER)
    api.fails = True
    for _ in range(3):
        assert candidates(catalog, api) == [VOXTRAL, WHISPER]
    assert api.requests == 1
    api.fails = False
    clock.seconds += LIST_RETRY_SECONDS
    for _ in range(3):
        assert candidates(catalog, api) == [WHISPER]
    assert api.requests == 2


def test_list_may_not_take_the_time_of_a_request() -> None:
    """Fetching the list has a short time of its own, and less when the request has less."""
    api = Api(VOXTRAL)
    for seconds in (300, 3):
        list(ModelCatalog(SETTINGS).candidates(None, api=api, context=context(seconds)))
    assert api.timeouts == [LIST_TIMEOUT_SECONDS, pytest.approx(3 * LIST_TIMEOUT_SHARE, abs=0.1)]


def test_refused_model_is_passed_over_for_a_while() -> None:
    """A model that is listed but refused costs one call, not one for each request, and is called again later."""
    clock = HandClock()
    catalog, api = ModelCatalog(SETTINGS, clock=clock), Api(VOXTRAL, WHISPER)
    candidates(catalog, api)
    catalog.mark_missing(VOXTRAL, context())
    assert candidates(catalog, api) == [WHISPER]
    assert candidates(catalog, api, VOXTRAL) == [VOXTRAL]
    catalog.mark_missing(WHISPER, context())
    assert candidates(catalog, api) == [VOXTRAL, WHISPER]
    clock.seconds += MISSING_SECONDS
    assert candidates(catalog, api) == [VOXTRAL, WHISPER]
