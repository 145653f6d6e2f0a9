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
    return RetryPolicy(sleep=waits.append, random=lambda: chance, clock=lambda: sum(waits))


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (RateLimitedError("429"), True),
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
    """Exactly what waiting may cure is tried again."""
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
        policy(waits)(Failing(RateLimitedError("429", retry_after_seconds=seconds)), deadline=Deadline(100))
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
    attempt = Failing(RateLimitedError("429", retry_after_seconds=30))
    with pytest.raises(RateLimitedError):
        policy(waits)(attempt, deadline=Deadline(29))
    assert (attempt.calls, waits) == (1, [])


def test_no_wait_that_leaves_no_time_for_another_try() -> None:
    """An error whose cause is known is not turned into one that took too long, by a try that cannot end in time."""
    waits: list[float] = []
    attempt = Failing(ApiFailedError("no JSON"))
    with pytest.raises(ApiFailedError, match="no JSON"):
        policy(waits)(attempt, deadline=Deadline(FIRST_WAIT_SECONDS + SHORTEST_TRY_SECONDS / 2))
    assert (attempt.calls, waits) == (1, [])


def test_a_rate_limit_pauses_the_others() -> None:
    """While one call waits for its turn, those that begin wait as long, no two equally long, if they have the time."""
    now, waits, chances = [0.0], [], iter([0.0, 1.0])

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            now[0] = 2.0
            for remaining_seconds in (100, 100, 5):
                assert shared(Failing(), deadline=Deadline(remaining_seconds)) == "done"
            now[0] = 8.0

    shared = RetryPolicy(sleep=sleep, random=lambda: next(chances), clock=lambda: now[0])
    assert shared(Failing(RateLimitedError("429", retry_after_seconds=8)), deadline=Deadline(100)) == "done"
    assert waits == [8, 6, 9]


def test_a_pause_leaves_time_for_a_try() -> None:
    """However long the random wait, the wait for the others' pause ends in time for a call, or is not begun."""
    now, waits = [0.0], list[float]()

    def clock() -> float:
        return now[0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            for remaining_seconds in (5, 4.5):
                assert shared(Failing(), deadline=Deadline(remaining_seconds, clock=clock)) == "done"
            now[0] = 3.6

    shared = RetryPolicy(sleep=sleep, random=lambda: 1.0, clock=clock)
    assert (
        shared(Failing(RateLimitedError("429", retry_after_seconds=3.6)), deadline=Deadline(100, clock=clock)) == "done"
    )
    assert waits == [3.6, 4.0]
