"""Reads from the headers of a refused call how long to wait before the next one."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

# No server means a longer wait for a single request.
MAX_RETRY_AFTER_SECONDS = 3600.0

_KINDS: Final = ("requests", "tokens")
_UNIT_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# Lengths are bounded, so that no figure is beyond a float.
_PART: Final = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)"


def stated_wait_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The wait that the headers of a 429 state; None where they state none.

    `Retry-After` counts first. Of `x-ratelimit-reset-requests` and `-tokens`, those count of which nothing remains:
    another quota, which has no header, may be the reason.
    """
    seconds = retry_after_seconds(headers.get("retry-after"), now=now)
    if seconds is not None:
        return seconds
    resets = [
        reset
        for kind in _KINDS
        if _is_zero(headers.get(f"x-ratelimit-remaining-{kind}"))
        and (reset := duration_seconds(headers.get(f"x-ratelimit-reset-{kind}"))) is not None
    ]
    return max(resets, default=None)


def retry_after_seconds(value: str | None, *, now: datetime) -> float | None:
    """The seconds to wait by a `Retry-After` header, which holds a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS) if seconds == seconds else None  # noqa: PLR0124 # not a NaN


def duration_seconds(value: str | None) -> float | None:
    """The seconds of a duration such as `250ms`, `1m30s` or `2.5`, a bare number of seconds; None for anything else."""
    text = (value or "").strip().lower()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        seconds = float(text)
    elif re.fullmatch(f"(?:{_PART})+", text):
        seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in re.findall(_PART, text))
    else:
        return None
    return min(seconds, MAX_RETRY_AFTER_SECONDS)


def _is_zero(value: str | None) -> bool:
    """Whether nothing remains; a server may also state how much is missing."""
    try:
        return value is not None and float(value) <= 0
    except ValueError:
        return False
