"""Finds words that an API's times put where there is no sound: models invent some in silence, and after the last word.

They stay, since times are inexact; a warning says where they are.
"""

from collections.abc import Iterator

from transcriber.api.backend import ChunkTranscript
from transcriber.audio.containers import Container
from transcriber.audio.loudness import INAUDIBLE_DECIBELS
from transcriber.chunks.chunk import Chunk
from transcriber.spans import Span

# An API's times are off by some tenths of a second.
AROUND_SECONDS = 0.5
# Noise is seldom louder than its quieter parts by this much; a quiet speaker is.
NOISE_DECIBELS = 6.0
# The share of a chunk that is noise, at least.
NOISE_SHARE = 0.05

INVENTED = "there are words, and no sound: they may be invented."


def invented_warnings(chunk: Chunk, transcript: ChunkTranscript) -> tuple[str, ...]:
    """A warning for each span with words and without sound; none where the loudness is rough, or not at hand."""
    if not transcript.segments or not chunk.has_loudness or chunk.container is not Container.WAV:
        return ()
    return tuple(f"{span.moved(chunk.origin_seconds).clock_times} {INVENTED}" for span in _invented(chunk, transcript))


def _invented(chunk: Chunk, transcript: ChunkTranscript) -> Iterator[Span]:
    """The spans of consecutive segments without sound, in seconds from the chunk's first byte."""
    decibels, window_seconds = chunk.loudness.decibels, chunk.loudness.window_seconds
    noise = sorted(decibels)[int(len(decibels) * NOISE_SHARE)] if decibels else 0.0
    loudest = max(noise + NOISE_DECIBELS, INAUDIBLE_DECIBELS)
    span: Span | None = None
    for segment in transcript.segments or ():
        first = max(0, int((segment.start_seconds - AROUND_SECONDS) / window_seconds))
        last = int((segment.end_seconds + AROUND_SECONDS) / window_seconds) + 1
        around = decibels[min(first, max(0, len(decibels) - 1)) : last]
        if max(around, default=0.0) <= loudest:
            end_seconds = max(segment.end_seconds, segment.start_seconds)
            span = Span(segment.start_seconds if span is None else span.start_seconds, end_seconds)
        elif span is not None:
            yield span
            span = None
    if span is not None:
        yield span
