"""Words the warnings about a recording's damage: what could not be read, and what its header states wrongly."""

import math
from collections.abc import Callable, Iterable

from transcriber.spans import Span, clock_time

# A header that is wrong by less than this is wrong by a frame or a tag, and no word is missing.
NOTICEABLE_SECONDS = 0.5
# Damage that is shorter hides no syllable.
SYLLABLE_SECONDS = 0.1
# A file that is damaged everywhere would make an answer of warnings.
MAX_DAMAGES_NAMED = 10


class DamageWarnings:
    """Warns of each damage in the chunk where it begins, up to a number of them in a recording.

    `describe` words the warning about one damage; None for one that is too short to matter. Spans are those of a file
    that begins `start_seconds` after the recording.
    """

    def __init__(self, describe: Callable[[Span], str | None], *, start_seconds: float = 0.0) -> None:
        self._describe = describe
        self._start_seconds = start_seconds
        self._waiting: list[Span] = []
        self._count = 0

    def within(self, span: Span, damage: Iterable[Span]) -> tuple[str, ...]:
        """The warnings for the chunk with this span; `damage` is what was found since the last chunk."""
        self._waiting += (each.moved(self._start_seconds) for each in damage)
        begun = [each for each in self._waiting if each.start_seconds < span.end_seconds]
        self._waiting = [each for each in self._waiting if each.start_seconds >= span.end_seconds]
        return self._named(begun)

    def rest(self) -> tuple[str, ...]:
        """The warnings for the last chunk: damage after its last sample, and how much was not named."""
        named = self._named(self._waiting)
        self._waiting = []
        if self._count <= MAX_DAMAGES_NAMED:
            return named
        return (
            *named,
            f"The file is damaged in {self._count} places; only the first {MAX_DAMAGES_NAMED} are named.",
        )

    def _named(self, damage: Iterable[Span]) -> tuple[str, ...]:
        texts = [text for text in map(self._describe, damage) if text is not None]
        room = max(0, MAX_DAMAGES_NAMED - self._count)
        self._count += len(texts)
        return tuple(texts[:room])


def lost_frames(span: Span) -> str | None:
    """The warning about bytes that were not MP3 frames."""
    seconds = span.duration_seconds
    if seconds < NOTICEABLE_SECONDS:
        return None
    at = clock_time(span.start_seconds)
    return f"The file is damaged: at {at}, about {seconds:.1f} s cannot be read; words may be missing there."


def decoding_damage(span: Span) -> str | None:
    """The warning about packets that could not be decoded."""
    if span.duration_seconds < SYLLABLE_SECONDS:
        return None
    if math.isinf(span.end_seconds):
        return f"The file cannot be read from {clock_time(span.start_seconds)} on; words may be missing there."
    start, end = clock_time(span.start_seconds), clock_time(math.ceil(span.end_seconds))
    return f"The file is damaged between {start} and {end}; words may be missing there."


def missing_end(missing_seconds: float, there_seconds: float) -> tuple[str, ...]:
    """The warning about a recording that is shorter than its header states."""
    if missing_seconds <= NOTICEABLE_SECONDS:
        return ()
    stated = f"{there_seconds + missing_seconds:.1f} s"
    return (f"The file is cut off: its header states {stated}, and {there_seconds:.1f} s are there.",)


def unreadable_file(at_seconds: float, why: str) -> str:
    """The warning about a file that was joined to the one before, and that cannot be read."""
    return f"At {clock_time(at_seconds)} another file begins, and words of it are missing. {why}"
