"""The result of one chunk: plain values, so that it can be written down and read back."""

from dataclasses import dataclass

from transcriber.api.backend import NO_USAGE, Usage
from transcriber.spans import Segment, Span


@dataclass(frozen=True)
class ChunkResult:
    """What is known of a span of the recording; segments are in seconds from the recording's start.

    A silent span was not sent to the API, and has no model. `warnings` are about reading the span, and about its text.
    `sound_seconds` is how much of it may be speech; None where that is not known, or the text is not its words alone.
    `is_doubtful` results have a warning that their text seems incomplete already. One with a `missing_reason` has no
    text, since it could not be transcribed.
    """

    span: Span
    text: str = ""
    model: str = ""
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    usage: Usage = NO_USAGE
    warnings: tuple[str, ...] = ()
    is_silent: bool = False
    sound_seconds: float | None = None
    is_doubtful: bool = False
    missing_reason: str | None = None
