"""The deadline: a fixed point in time."""

import pytest

from transcriber.deadline import SHORTEST_TIMEOUT_SECONDS, Deadline


def test_time_runs_out() -> None:
    """The remaining time decreases as time passes, and at the last moment the deadline has passed."""
    now = 100.0
    deadline = Deadline(10, clock=lambda: now)
    assert (deadline.remaining_seconds(), deadline.has_passed()) == (10, False)
    now = 109.5
    assert (deadline.remaining_seconds(), deadline.has_passed()) == (0.5, False)
    now = 110.0
    assert deadline.has_passed()


def test_messages_name_the_setting() -> None:
    """The limit in a message names the setting that changes it."""
    assert Deadline(290).limit == "290 s (TIME_LIMIT)"


@pytest.mark.parametrize(
    ("left", "timeout"), [(60, 20), (5, 5), (0.01, SHORTEST_TIMEOUT_SECONDS), (-3, SHORTEST_TIMEOUT_SECONDS)]
)
def test_timeout_of_one_exchange(left: float, timeout: float) -> None:
    """An exchange gets its own longest time or what is left, and never so little that it cannot succeed."""
    assert Deadline(left, clock=lambda: 0.0).timeout_seconds(20) == timeout
