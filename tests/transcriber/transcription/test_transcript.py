"""Transcripts: the results of a recording's chunks, joined into one."""

import pytest

from transcriber.api.backend import Usage
from transcriber.spans import Segment, Span
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.partial import join_partial
from transcriber.transcription.transcript import join


def result(
    number: int, text: str, *, model: str = "a", language: str | None = None, warnings: tuple[str, ...] = ()
) -> ChunkResult:
    """The result with this number, of a minute each, with one segment."""
    span = Span(60.0 * number, 60.0 * number + 60)
    segments = (Segment(span.start_seconds, span.start_seconds + 1, text),)
    return ChunkResult(span, text, model, segments, language, Usage(1, 60, 10, 2), warnings)


def silence(number: int) -> ChunkResult:
    return ChunkResult(Span(60.0 * number, 60.0 * number + 60), is_silent=True)


def test_results_are_joined_in_order() -> None:
    """Text, segments, spans and usage are those of all results, and the recording is as long as the last one ends."""
    whole = join([result(0, "One two."), silence(1), result(2, "Three.")], model="default", language=None)
    assert (whole.text, whole.model, whole.duration_seconds) == ("One two. Three.", "a", 180)
    assert whole.segments == (Segment(0, 1, "One two."), Segment(120, 121, "Three."))
    assert (whole.chunks, whole.silent_spans) == ((Span(0, 60), Span(120, 180)), (Span(60, 120),))
    assert whole.usage == Usage(calls=2, audio_seconds=120, prompt_tokens=20, completion_tokens=4)
    assert whole.warnings == ()


def test_silence_is_an_empty_transcript() -> None:
    """A recording without sound has its length, no words, the model that would have been called, and cost nothing."""
    whole = join([silence(0)], model="default", language=None)
    assert (whole.text, whole.model, whole.duration_seconds, whole.usage) == ("", "default", 60, Usage())


def test_other_models_are_named() -> None:
    """The model with most results is the transcript's, and a warning says how many each other one has."""
    results = [result(0, "x", model="b"), result(1, "x"), result(2, "x"), silence(3)]
    whole = join(results, model="default", language=None)
    assert (whole.model, whole.warnings) == ("a", ("1 of 3 parts were transcribed by b.",))


def test_warnings_stand_once_in_the_order_of_time() -> None:
    """A warning of several chunks stands once, and warnings follow the order of the chunks."""
    results = [result(number, "x", warnings=("top_p was not used.", f"{number}")) for number in range(2)]
    assert join(results, model="default", language=None).warnings == ("top_p was not used.", "0", "1")


@pytest.mark.parametrize(
    ("stated", "requested", "language"),
    [
        (["en", "fr", "fr"], "de", "fr"),
        ([None, None, "en"], None, "en"),
        ([None, None], "de", "de"),
        ([None], None, None),
    ],
)
def test_language(stated: list[str | None], requested: str | None, language: str | None) -> None:
    """The language is the one that most results have; where the API states none, the client's."""
    results = [result(number, "x", language=code) for number, code in enumerate(stated)]
    assert join(results, model="default", language=requested).language == language


def gap(number: int, reason: str = "The API answered 500.", warnings: tuple[str, ...] = ()) -> ChunkResult:
    return ChunkResult(Span(60.0 * number, 60.0 * number + 60), warnings=warnings, missing_reason=reason)


def test_gap_is_marked_where_it_is() -> None:
    """A chunk without a text is a span that is missing, with a mark in its place, and a warning with the reason."""
    whole = join([result(0, "One."), gap(1, warnings=("damaged",)), result(2, "Two.")], model="m", language=None)
    assert (whole.text, whole.missing, whole.duration_seconds) == ("One. […] Two.", (Span(60, 120),), 180)
    assert whole.segments[1] == Segment(60, 120, "[…]")
    assert whole.warnings == ("From 1:00 to 2:00 nothing could be transcribed: The API answered 500.", "damaged")
    assert whole.chunks == (Span(0, 60), Span(120, 180))


def test_gaps_without_anything_between_them_are_one() -> None:
    """Chunks that are missing one after the other have one mark and one warning, unless silence is between."""
    results = [gap(0), gap(1), result(2, "One."), gap(3), silence(4), gap(5)]
    whole = join(results, model="m", language=None)
    assert whole.text == "[…] One. […] […]"
    assert whole.missing == (Span(0, 120), Span(180, 240), Span(300, 360))
    assert len(whole.warnings) == 3


def test_gap_to_an_unknown_end() -> None:
    """Where the recording's length is not known, the last gap has no length, and its warning says the end."""
    missing = [Span(60, float("inf"))]
    whole = join_partial([result(0, "One.")], missing, "Time is over.", model="m", language=None)
    assert whole is not None
    assert (whole.missing, whole.text) == ((Span(60, 60),), "One. […]")
    assert whole.warnings == ("From 1:00 to the end nothing could be transcribed: Time is over.",)
    assert join_partial([silence(0)], missing, "Time is over.", model="m", language=None) is None
