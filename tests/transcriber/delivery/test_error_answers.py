"""Error answers: each error has the contract's answer, and to a trigger one that decides on another delivery."""

import json

import pytest

from transcriber import errors
from transcriber.delivery.error_answers import error_answer
from transcriber.request.trigger import Trigger


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.RequestError("m", param="url"), 400),
        (errors.AddressRefusedError("m", param="url"), 400),
        (errors.ApiRefusedError("m"), 400),
        (errors.AuthenticationError("m"), 401),
        (errors.SourceNotFoundError("m"), 404),
        (errors.MethodNotAllowedError("m", allowed=("GET", "POST")), 405),
        (errors.AudioTooLargeError("m"), 413),
        (errors.UnsupportedAudioError("m"), 415),
        (errors.ModelNotFoundError("m", param="model"), 422),
        (errors.SourceRefusedError("m"), 422),
        (errors.RateLimitedError("m", retry_after_seconds=2.1), 429),
        (errors.SettingsError("MODELS", "m"), 500),
        (errors.SourceFailedError("m"), 502),
        (errors.SourceChangedError("m"), 502),
        (errors.SourceLostError("m"), 502),
        (errors.ApiFailedError("m"), 502),
        (errors.TruncatedTranscriptError("m"), 502),
        (errors.SourceTimeoutError("m"), 504),
        (errors.ApiTimeoutError("m"), 504),
        (errors.CallbackFailedError("m"), 502),
        (errors.CallbackRefusedError("m"), 502),
        (errors.NeverSucceededError("m"), 500),
        (errors.QueueFailedError("m"), 502),
        (errors.BudgetExhaustedError("m"), 503),
        (errors.InProgressError("m", retry_after_seconds=30), 503),
        (errors.IncompleteError("m", retry_after_seconds=5), 504),
        (errors.TimeLimitError("m"), 504),
        (errors.AccountRefusedError("m"), 502),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors(error: errors.TranscriberError, status: int) -> None:
    """Each error of the tree has the contract's status and shape."""
    answer = error_answer(error)
    assert answer.status == status
    body = json.loads(answer.body)["error"]
    assert (body["message"], body["param"]) == (error.message, error.param)
    assert body["type"].endswith("_error")
    assert body["code"]


def test_every_error_of_the_tree_is_in_the_table() -> None:
    """Every error says whether a retry may help and what it is about, and no two families have the same code."""

    def below(kind: type[errors.TranscriberError]) -> list[type[errors.TranscriberError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in below(child))]

    kinds = below(errors.TranscriberError)
    raised = set(kinds) - {errors.TranscriberError, errors.SourceError, errors.ApiError}
    assert all(isinstance(kind.is_retryable, bool) for kind in raised)
    assert all(isinstance(kind.cause, errors.Cause) for kind in raised)
    codes = [kind.code for kind in kinds if "code" in vars(kind)]
    assert len(codes) == len(set(codes)) == 35


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (errors.RequestError, "request"),
        (errors.OptionRefusedError, "request"),
        (errors.RequestedModelNotFoundError, "request"),
        (errors.AudioTooLargeError, "recording"),
        (errors.UnsupportedAudioError, "recording"),
        (errors.TruncatedTranscriptError, "recording"),
        (errors.SourceChangedError, "recording"),
        (errors.SourceLostError, "recording"),
        (errors.ApiRefusedError, "recording"),
        (errors.TimeLimitError, "recording"),
        (errors.UnexpectedError, "recording"),
        (errors.SettingsError, "account"),
        (errors.BudgetExhaustedError, "account"),
        (errors.ModelNotFoundError, "account"),
        (errors.AccountRefusedError, "account"),
        (errors.StorageRefusedError, "account"),
        (errors.RateLimitedError, "passing"),
        (errors.ApiFailedError, "passing"),
        (errors.ApiTimeoutError, "passing"),
        (errors.SourceFailedError, "passing"),
        (errors.SourceTimeoutError, "passing"),
        (errors.InProgressError, "passing"),
        (errors.IncompleteError, "passing"),
    ],
)
def test_causes(kind: type[errors.TranscriberError], cause: str) -> None:
    """What an error is about decides whether it counts for the recording."""
    assert kind.cause == cause


def test_headers_of_errors() -> None:
    """Errors that have a header of their own bring it."""
    assert error_answer(errors.MethodNotAllowedError("m", allowed=("GET", "POST"))).headers["Allow"] == "GET, POST"
    assert error_answer(errors.AuthenticationError("m")).headers["WWW-Authenticate"] == "Bearer"
    assert error_answer(errors.RateLimitedError("m", retry_after_seconds=2.1)).headers["Retry-After"] == "3"
    assert error_answer(errors.InProgressError("m", retry_after_seconds=30)).headers["Retry-After"] == "30"
    assert error_answer(errors.IncompleteError("m", retry_after_seconds=5)).headers["Retry-After"] == "5"
    assert "Retry-After" not in error_answer(errors.TimeLimitError("m")).headers


def test_unexpected_error_reveals_nothing() -> None:
    """An unexpected exception is a 500 without its text."""
    with pytest.raises(KeyError) as caught:
        json.loads("{}")["the-secret at 10.0.0.1"]
    answer = error_answer(caught.value)
    assert answer.status == 500
    assert json.loads(answer.body)["error"]["code"] == "internal_error"
    assert "secret" not in answer.body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ApiFailedError("m"), 502),
        (errors.SettingsError("MODELS", "m"), 500),
        (errors.RateLimitedError("m"), 503),
        (errors.ModelNotFoundError("m"), 503),
        (errors.SourceRefusedError("m"), 503),
        (errors.SourceNotFoundError("m"), 200),
        (errors.UnsupportedAudioError("m"), 200),
        (errors.AudioTooLargeError("m"), 200),
        (errors.TruncatedTranscriptError("m"), 200),
        (errors.RequestError("m"), 400),
        (errors.AuthenticationError("m"), 401),
        (KeyError("m"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
@pytest.mark.parametrize("trigger", list(Trigger))
def test_trigger_redelivers_after_errors_that_a_retry_may_cure(error: Exception, status: int, trigger: Trigger) -> None:
    """A trigger that redelivers gets a 5xx for errors that a retry may cure, and 200 for the others."""
    own = error_answer(error)
    answer = error_answer(error, trigger)
    assert answer.body == own.body
    assert answer.status == (status if trigger in {Trigger.QUEUE, Trigger.UPLOAD} else own.status)
