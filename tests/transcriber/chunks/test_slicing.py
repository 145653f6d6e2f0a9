"""Slicing: a chunk as its halves, or a slice of it, each with its span in the recording."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from support.cutting import bytes_of, chunks_of, mp3, samples_of, speech, without_preroll
from support.encoding import decode
from support.wav_files import wav_file

from emulator.recognisers.markers import SAMPLE_RATE_HZ
from transcriber.chunks.slicing import slice_chunk, split
from transcriber.spans import Span


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64"), mp3("VBR")])
def test_split_is_the_chunk_in_parts(data: bytes) -> None:
    """Its parts follow one another from the chunk's start to its end."""
    chunk = chunks_of(data, 20)[1]
    parts = split(chunk)
    assert len(parts) >= 2
    assert parts[0].span.start_seconds == pytest.approx(chunk.span.start_seconds)
    assert parts[-1].span.end_seconds == pytest.approx(chunk.span.end_seconds)
    for before, after in pairwise(parts):
        assert before.span.end_seconds == pytest.approx(after.span.start_seconds)
    if chunk.layout is None:
        assert b"".join(without_preroll(part) for part in parts) == without_preroll(chunk)
    else:
        assert np.array_equal(samples_of(parts), samples_of([chunk]))


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64")])
def test_warnings_stay_when_a_chunk_is_split(data: bytes) -> None:
    """The warnings of a chunk are those of its first part, so that each is given once."""
    warnings = ("The file is damaged.", "The file is cut off.")
    first, *others = split(replace(chunks_of(data, 20)[1], warnings=warnings))
    assert first.warnings == warnings
    assert all(part.warnings == () for part in others)


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64")])
def test_slice_of_a_chunk(data: bytes) -> None:
    """A slice is the sound between two moments, to within a frame, with its span in the recording's time."""
    chunk = chunks_of(data, 20)[1]
    part = slice_chunk(chunk, Span(3.0, 5.5))
    start = chunk.origin_seconds
    assert part.span.start_seconds == pytest.approx(start + 3.0, abs=0.03)
    assert part.span.end_seconds == pytest.approx(start + 5.5, abs=0.03)
    assert len(decode(bytes_of(part))) / SAMPLE_RATE_HZ == pytest.approx(part.duration_seconds, abs=0.03)


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64")])
def test_slice_beyond_the_chunk_ends_with_it(data: bytes) -> None:
    """A slice that is requested beyond the end of a chunk ends where the chunk does."""
    chunk = chunks_of(data, 20)[1]
    part = slice_chunk(chunk, Span(3.0, 1000.0))
    assert part.span.start_seconds == pytest.approx(chunk.origin_seconds + 3.0, abs=0.03)
    assert part.span.end_seconds == pytest.approx(chunk.span.end_seconds, abs=0.001)
