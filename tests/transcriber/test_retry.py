"""Retries: what is tried again, when, and for how long."""

import pytest

from transcriber.deadline import Deadline
from transcriber.errors import (
    AddressRefusedError,
    ApiFailedError,
    ApiRefusedError,
    ApiTimeoutError,
    ModelNotFoundError,
    RateLimitedError,
    RequestError,
    SettingsError,
    SourceFailedError,
    SourceNotFoundError,
    SourceTimeoutError,
    TranscriberError,
    TruncatedTranscriptError,
    UnsupportedAudioError,
)
from transcriber.retry import (
    FIRST_WAIT_SECONDS,
    MAX_ATTEMPTS,
    SHORTEST_TRY_SECONDS,
    SHORTEST_WAIT_SECONDS,
    RetryPolicy,
)


class Failing:
    """Fails with the given errors, one after the other, and then succeeds."""

    def __init__(self, *errors: TranscriberError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def policy(waits: list[float], *, chance: float = 0.0) -> RetryPolicy:
    """A policy for which time passes in `waits` alone."""
    return RetryPolicy(sleep=waits.append, random=lambda: chance)


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (RateLimitedError("429"), False),
        (ApiFailedError("500"), True),
        (ApiTimeoutError("504"), True),
        (SourceFailedError("broke off"), True),
        (SourceTimeoutError("stalled"), True),
        (ApiRefusedError("400"), False),
        (ModelNotFoundError("422"), False),
        (TruncatedTranscriptError("length"), False),
        (SettingsError("GENERATIVE_API_KEY", "401"), False),
        (RequestError("malformed"), False),
        (AddressRefusedError("private"), False),
        (SourceNotFoundError("404"), False),
        (UnsupportedAudioError("a picture"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_table_of_what_is_retried(error: TranscriberError, retried: bool) -> None:  # noqa: FBT001 # a table's column
    """Exactly what waiting may cure is tried again; a quota is waited for elsewhere."""
    attempt = Failing(error)
    if retried:
        assert policy([])(attempt, deadline=Deadline(100)) == "done"
        assert attempt.calls == 2
    else:
        with pytest.raises(type(error)):
            policy([])(attempt, deadline=Deadline(100))
        assert attempt.calls == 1


def test_waits_double_and_are_jittered() -> None:
    """Without a Retry-After the waits double from a second on, less a random part of at most half."""
    for chance, expected in ((0.0, [1, 2, 4, 8]), (1.0, [0.5, 1, 2, 4])):
        waits: list[float] = []
        attempt = Failing(*(ApiFailedError("500") for _ in range(MAX_ATTEMPTS - 1)))
        policy(waits, chance=chance)(attempt, deadline=Deadline(100))
        assert waits == expected


def test_retry_after_is_obeyed() -> None:
    """The server's own word on how long to wait replaces the back-off, but for a moment's pause."""
    waits: list[float] = []
    for seconds in (7, 0):
        policy(waits)(Failing(ApiFailedError("503", retry_after_seconds=seconds)), deadline=Deadline(100))
    assert waits == [7, SHORTEST_WAIT_SECONDS]


def test_gives_up_after_the_last_attempt() -> None:
    """The error of the last attempt is raised when all have failed."""
    attempt = Failing(*(ApiFailedError(f"failure {number}") for number in range(99)))
    with pytest.raises(ApiFailedError, match=f"failure {MAX_ATTEMPTS - 1}"):
        policy([])(attempt, deadline=Deadline(1000))
    assert attempt.calls == MAX_ATTEMPTS


def test_never_waits_beyond_the_deadline() -> None:
    """When the wait would outlast the time that is left, the error is raised at once."""
    waits: list[float] = []
    attempt = Failing(ApiFailedError("503", retry_after_seconds=30))
    with pytest.raises(ApiFailedError):
        policy(waits)(attempt, deadline=Deadline(29))
    assert (attempt.calls, waits) == (1, [])


def test_no_wait_that_leaves_no_time_for_another_try() -> None:
    """An error whose cause is known is not turned into one that took too long, by a try that cannot end in time."""
    waits: list[float] = []
    attempt = Failing(ApiFailedError("no JSON"))
    with pytest.raises(ApiFailedError, match="no JSON"):
        policy(waits)(attempt, deadline=Deadline(FIRST_WAIT_SECONDS + SHORTEST_TRY_SECONDS / 2))
    assert (attempt.calls, waits) == (1, [])


def test_no_retry_that_leaves_no_time_for_the_call() -> None:
    """What a call is expected to take has to be left after the wait."""
    waits: list[float] = []
    attempt = Failing(ApiFailedError("500"))
    with pytest.raises(ApiFailedError):
        policy(waits)(attempt, deadline=Deadline(30), needed_seconds=29.5)
    assert (attempt.calls, waits) == (1, [])
