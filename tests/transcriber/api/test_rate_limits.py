"""Headers of refused calls: how long to wait, in each form that they have."""

from datetime import UTC, datetime

import pytest

from transcriber.api.rate_limits import duration_seconds, retry_after_seconds, stated_wait_seconds

NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0),
        ("999999", 3600),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 2024 00:00:07 GMT", 7),
        ("Mon, 01 Jan 2024 00:00:07", None),
        ("Mon, 20 Nov 99999999999999999999 10:00:00 GMT", None),
        ("Sun, 31 Dec 2023 23:59:59 GMT", 0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """Retry-After is a number of seconds or a date, bounded, and anything else is no word at all."""
    assert retry_after_seconds(header, now=datetime(2024, 1, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("35ms", 0.035),
        ("1m30s", 90),
        ("1h2m3.5s", 3600),
        ("12", 12),
        ("2.5", 2.5),
        ("59.5S", 59.5),
        ("", None),
        (None, None),
        ("soon", None),
        ("-1s", None),
        ("1x", None),
        ("1m soon", None),
        ("9" * 400, None),
        ("inf", None),
    ],
)
def test_durations(text: str | None, seconds: float | None) -> None:
    """A duration has units, or is a bare number of seconds; it is bounded, and anything else is none."""
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7", "x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0"}, 7),
        ({"x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-requests": "0"}, 90),
        ({"x-ratelimit-reset-requests": "250ms", "x-ratelimit-remaining-requests": "12"}, None),
        ({"x-ratelimit-reset-requests": "250ms"}, None),
        (
            {
                "x-ratelimit-reset-requests": "2s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "5s",
                "x-ratelimit-remaining-tokens": "0",
            },
            5,
        ),
        ({"x-ratelimit-reset-tokens": "soon", "x-ratelimit-remaining-tokens": "0"}, None),
        ({"x-ratelimit-reset-audio": "9s", "x-ratelimit-remaining-audio": "0"}, None),
    ],
)
def test_wait_that_headers_state(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After counts first, then the resets of what is used up; a reset of what is left says nothing."""
    assert stated_wait_seconds(headers, now=NOW) == seconds
