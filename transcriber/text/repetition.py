"""Recognises a decoder in a loop: the same phrase over and over, instead of the words of the recording.

It searches for exact repeats in a row. Whisper's own check for its 30 s, a compression ratio over 2.4, does not work
for minutes: a speaker who returns to the same sentences compresses as well as a loop, and a loop at the end hardly
shows.
"""

import operator
import re
from collections.abc import Sequence

from transcriber.text.words import SPACELESS

# The period of a loop is a phrase or a sentence; a speaker may repeat a verse or a paragraph. In scripts without
# spaces, two characters make about one word.
MAX_PERIOD_WORDS = 30
MAX_PERIOD_CHARACTERS = 60
# People sing a chorus three or four times; a decoder goes on until its output is full.
MIN_REPEATS = 6
# People repeat a single word more often, counting, singing or laughing; a decoder does so hundreds of times.
MIN_RUN_UNITS = 20
# A loop is most of a text, or its end: few decoders leave one, and a short one cost few words.
MIN_SHARE = 0.5

_UNIT = re.compile(rf"(?=\w)[{SPACELESS}]|(?:(?![{SPACELESS}])[^\W_])+")
_CHARACTER = re.compile(f"[{SPACELESS}]")


def is_repetitive(text: str) -> bool:
    """Whether most of `text`, or its end, is one phrase over and over, without regard to case and punctuation."""
    units = units_of(text)
    characters = sum(map(bool, map(_CHARACTER.match, units)))
    max_period = MAX_PERIOD_CHARACTERS if 2 * characters > len(units) else MAX_PERIOD_WORDS
    periods = range(1, min(max_period, len(units) // MIN_REPEATS) + 1)
    return any(_loops(units, period) for period in periods)


def units_of(text: str) -> list[str]:
    """The words of `text`, and the characters of scripts without spaces, without case and punctuation."""
    return _UNIT.findall(text.casefold())


def _loops(units: Sequence[str], period: int) -> bool:
    """Whether the units repeat with this period, for long enough, and at a place that counts."""
    # One byte for each unit: whether it equals the one a period before; a run of ones is a repetition.
    same = bytes(map(operator.eq, units[period:], units))
    run_units = max(MIN_REPEATS * period, MIN_RUN_UNITS)
    start = same.find(b"\1" * (run_units - period))
    while start >= 0:
        end = same.find(0, start)
        end = len(same) if end < 0 else end
        # The last repetition may be cut off within a word.
        if len(same) - end <= period or end + period - start >= MIN_SHARE * len(units):
            return True
        start = same.find(b"\1" * (run_units - period), end)
    return False
