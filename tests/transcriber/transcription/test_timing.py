"""Times: the API's, made finer, or our own, always within the chunk's span."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recordings import hum

from transcriber.api.backend import ChunkTranscript
from transcriber.audio.containers import Container
from transcriber.audio.wav import read_layout
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.spans import Segment, Span
from transcriber.transcription.timing import timed_segments

# Three spans of sound: 1 to 4, 5 to 8 and 10 to 13 s.
DATA = hum(14, pauses=[(0, 1), (4, 5), (8, 10), (13, 14)])
SENTENCES = ("Ask not what your country can do.", "Ask what you can do for it now.", "And so my fellow Americans all.")
BORDERS = ((1, 4), (5, 8), (10, 13))


def chunk_of(data: bytes, *, start_seconds: float = 0.0, preroll_seconds: float = 0.0) -> Chunk:
    layout = read_layout(data)
    assert layout is not None
    seconds = layout.duration_seconds(len(data))
    assert seconds is not None
    span = Span(start_seconds, start_seconds + seconds - preroll_seconds)
    return Chunk(span, Container.WAV, BytesPayload([data]), layout, preroll_seconds)


def transcript_of(*segments: Segment, text: str = "") -> ChunkTranscript:
    return ChunkTranscript(text or " ".join(each.text for each in segments), "model", segments=segments or None)


def check(segments: tuple[Segment, ...], *, offset_seconds: float = 0.0) -> None:
    assert tuple(segment.text for segment in segments) == SENTENCES
    for segment, (start, end) in zip(segments, BORDERS, strict=True):
        assert segment.start_seconds == pytest.approx(offset_seconds + start, abs=0.15)
        assert segment.end_seconds == pytest.approx(offset_seconds + end, abs=0.15)


def test_own_times() -> None:
    """Without times of the API, sentences are where the sound is, in the recording's time."""
    transcript = ChunkTranscript(" ".join(SENTENCES), "model")
    check(timed_segments(chunk_of(DATA), transcript))
    check(timed_segments(chunk_of(DATA, start_seconds=300), transcript), offset_seconds=300)


def test_times_of_the_api_are_refined_to_sentences() -> None:
    """A segment with several sentences, and with pauses before and after them, becomes one for each, without those."""
    whole = Segment(0, 14, " ".join(SENTENCES))
    check(timed_segments(chunk_of(DATA, start_seconds=60), transcript_of(whole)), offset_seconds=60)


@pytest.mark.parametrize(("start", "end", "spoken"), [(0, 5.45, (1, 4)), (3.55, 9, (5, 8))], ids=["end", "start"])
def test_edge_of_another_sentence_has_none_of_the_words(start: float, end: float, spoken: tuple[float, float]) -> None:
    """A border of the API that is off by half a second puts no word into the sound of the sentence beside it."""
    (segment,) = timed_segments(chunk_of(DATA), transcript_of(Segment(start, end, SENTENCES[0])))
    assert segment.text == SENTENCES[0]
    assert (segment.start_seconds, segment.end_seconds) == pytest.approx(spoken, abs=0.15)


def test_words_without_sound_keep_the_apis_times() -> None:
    """A segment in which nothing stands out, such as a whisper, is where the API says."""
    segment = Segment(8.2, 9.8, "Psst.")
    assert timed_segments(chunk_of(DATA), transcript_of(segment)) == (segment,)


def test_lead_counts() -> None:
    """Times begin with the chunk's first byte, which lies before its span by the lead, and no word is put there."""
    chunk = chunk_of(DATA, start_seconds=300.5, preroll_seconds=0.5)
    check(timed_segments(chunk, ChunkTranscript(" ".join(SENTENCES), "model")), offset_seconds=300)
    (segment,) = timed_segments(chunk, transcript_of(Segment(0, 0.3, "So.")))
    assert (segment.start_seconds, segment.end_seconds) == (300.5, 300.5)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-5, 30), st.floats(0, 30), st.sampled_from(SENTENCES)), max_size=5),
    st.floats(0, 0.5),
)
def test_all_is_inside_the_span(times: list[tuple[float, float, str]], preroll_seconds: float) -> None:
    """Whatever times the API gives, each segment lies within the chunk's span, and no word is lost."""
    chunk = chunk_of(DATA, start_seconds=100, preroll_seconds=preroll_seconds)
    segments = sorted((Segment(start, start + seconds, text) for start, seconds, text in times), key=str)
    timed = timed_segments(chunk, transcript_of(*segments, text="" if segments else "So."))
    for segment in timed:
        assert chunk.span.start_seconds <= segment.start_seconds <= segment.end_seconds <= chunk.span.end_seconds
    assert " ".join(segment.text for segment in timed) == " ".join(each.text for each in segments) or not segments
