"""Durations as the headers of a rate limit state them."""

import math


def duration_text(seconds: float) -> str:
    """A duration as in the documented headers: `250ms`, `35s`, `1m30s`."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:  # noqa: PLR2004 # of a second
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    return (f"{minutes}m" if minutes else "") + f"{rest / 1000:g}s"
