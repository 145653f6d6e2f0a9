"""Words where there is no sound: they stay, with a warning; quiet speech and inexact times are no such thing."""

import random

import pytest
from support.known_speech import known_speech, names
from support.recordings import hum

from transcriber.api.backend import ChunkTranscript
from transcriber.audio.containers import Container
from transcriber.audio.wav import read_layout
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.spans import Segment, Span
from transcriber.transcription.invented import INVENTED, invented_warnings

THANKS = "Thank you for watching."


def chunk_of(seconds: float, *, pauses: list[tuple[float, float]]) -> Chunk:
    data = hum(seconds, pauses=pauses)
    return Chunk(Span(60, 60 + seconds), Container.WAV, BytesPayload([data]), read_layout(data))


def warnings_of(chunk: Chunk, *segments: Segment) -> tuple[str, ...]:
    text = " ".join(segment.text for segment in segments)
    return invented_warnings(chunk, ChunkTranscript(text, "model", segments=segments))


def test_words_in_silence_have_a_warning() -> None:
    """Words after the last sound, or within a long silence, have one warning with its times in the recording."""
    chunk = chunk_of(30, pauses=[(10, 30)])
    spoken = Segment(0, 10, "So he came and sat down.")
    (warning,) = warnings_of(chunk, spoken, Segment(12, 14, THANKS), Segment(14, 16, THANKS))
    assert warning == f"From 1:12 to 1:16 {INVENTED}"
    assert len(warnings_of(chunk, spoken, Segment(30, 30, THANKS))) == 1


def test_words_beside_sound_have_none() -> None:
    """Times that are off by less than half a second, or reach into a pause, cause no warning."""
    chunk = chunk_of(30, pauses=[(10, 20)])
    assert (
        warnings_of(chunk, Segment(0, 13, "So he came."), Segment(19.2, 19.6, "And sat."), Segment(20, 30, "Down."))
        == ()
    )


@pytest.mark.parametrize("name", ["de-1", "neural-en-1"])
def test_no_word_of_known_speech_is_taken_for_invented(name: str) -> None:
    """Over recordings whose words are known, and whose times are as inexact as a model's, there is no warning."""
    assert name in names()
    for part in known_speech(name).parts(5):
        assert warnings_of(part.chunk, *part.segments(random.Random(1))) == ()  # noqa: S311 # a simulation
