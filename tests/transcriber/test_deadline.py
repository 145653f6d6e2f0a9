"""The deadline: one point in time, which nothing moves but its end."""

from transcriber.deadline import Deadline


def test_time_runs_out() -> None:
    """What remains gets less as time passes, and the last moment is too late."""
    now = 100.0
    deadline = Deadline(10, clock=lambda: now)
    assert (deadline.remaining_seconds(), deadline.has_passed()) == (10, False)
    now = 109.5
    assert (deadline.remaining_seconds(), deadline.has_passed()) == (0.5, False)
    now = 110.0
    assert deadline.has_passed()


def test_it_can_be_ended_early() -> None:
    """Whoever gives up a request ends its deadline, for everybody who keeps to it."""
    deadline = Deadline(10_000)
    deadline.end()
    assert deadline.has_passed()


def test_it_names_what_the_operator_set() -> None:
    """A message names the limit that was set, also where a part of it is left."""
    assert (Deadline(10).limit_seconds, Deadline(10, limit_seconds=290).limit_seconds) == (10, 290)
