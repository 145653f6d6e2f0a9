"""Segments: stretches of time, and how a point in time is written."""

import pytest

from transcriber.spans import Span, clock_time


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (7.99, "0:07"), (60, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (36_061.5, "10:01:01")],
)
def test_clock_time_is_written_as_players_do(seconds: float, shown: str) -> None:
    """Hours are there only when there are some, and a second counts when it is over."""
    assert clock_time(seconds) == shown


def test_span_lasts_from_its_start_to_its_end() -> None:
    """The duration is the difference, wherever it lies."""
    assert Span(1.5, 4.0).duration_seconds == 2.5
