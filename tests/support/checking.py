"""What every transcript has to keep, of whatever recording."""

from itertools import pairwise
from typing import Any

import numpy as np
from support.long_recordings import Spoken
from support.recordings import spoken_words

BORDER_SECONDS = 1.0


def check_times(answer: dict[str, Any], sentences: tuple[Spoken, ...]) -> None:
    """Each sentence begins where a segment does and ends where one does, and segments follow one another."""
    segments = answer["segments"]
    starts, ends = (np.array([segment[side] for segment in segments]) for side in ("start", "end"))
    late_starts = [each for each in sentences if np.abs(starts - each.start_seconds).min() > BORDER_SECONDS]
    late_ends = [each for each in sentences if np.abs(ends - each.end_seconds).min() > BORDER_SECONDS]
    assert (late_starts, late_ends) == ([], [])
    assert all(before["start"] <= after["start"] for before, after in pairwise(segments))
    assert all(before["end"] <= after["start"] + 0.001 for before, after in pairwise(segments))
    assert spoken_words(" ".join(segment["text"] for segment in segments)) == spoken_words(answer["text"])
