"""Completeness: what a model leaves out is noticed against the sound, asked for again, and at last warned of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from support.recordings import hum

from transcriber.api.backend import ChunkTranscript, Usage
from transcriber.audio.containers import Container
from transcriber.audio.wav import read_layout
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.chunks.cutting import listen
from transcriber.errors import (
    ApiError,
    ApiFailedError,
    ApiTimeoutError,
    ModelNotFoundError,
    TranscriberError,
    TruncatedTranscriptError,
)
from transcriber.spans import Segment, Span
from transcriber.transcription.completeness import (
    FEW_WORDS,
    NO_WORDS,
    SHORTEST_SPLIT_SECONDS,
    ChunkCalls,
    ChunkResult,
    transcribe_chunk,
)

BEFORE_SECONDS = 600.0
WORDS = "ask not what your country can do for you"
LOOP = "thank you for watching " * 10
LENGTH = TruncatedTranscriptError("It stopped at its output limit.")

# What a model makes of a chunk: a text with or without times, or an error.
Answer = str | Sequence[Segment] | TranscriberError


@dataclass
class Models:
    """Models that answer what a test says, one answer after the other, and who was asked for which span."""

    answers: dict[str, list[Answer]]
    calls: list[tuple[str, float, float]] = field(default_factory=list)

    def ask(self, chunk: Chunk, model: str) -> ChunkTranscript:
        span = chunk.span
        self.calls.append((model, round(span.start_seconds, 1), round(span.end_seconds, 1)))
        answer = self.answers[model].pop(0)
        usage = Usage(calls=1, audio_seconds=chunk.duration_seconds)
        match answer:
            case TranscriberError():
                raise answer
            case str():
                return ChunkTranscript(answer, model, usage=usage)
            case _:
                text = " ".join(segment.text for segment in answer)
                return ChunkTranscript(text, model, segments=tuple(answer), usage=usage)

    @property
    def asked(self) -> list[str]:
        return [model for model, _, _ in self.calls]

    def asking(self, *, is_transcription: bool = True, wants_times: bool = False) -> ChunkCalls:
        models: Callable[[], Iterable[str]] = lambda: iter(self.answers)  # noqa: E731 # a field of a type
        return ChunkCalls(self.ask, models, is_transcription=is_transcription, wants_times=wants_times)


def chunk_of(seconds: float, *, pauses: Sequence[tuple[float, float]] = ()) -> Chunk:
    """A chunk of a hum with pauses, ten minutes into a recording."""
    data = hum(seconds, pauses=pauses)
    layout = read_layout(data)
    assert layout is not None
    body = BytesPayload(data[: layout.data_start], data[layout.data_start :])
    return Chunk(Span(BEFORE_SECONDS, BEFORE_SECONDS + seconds), Container.WAV, body, layout)


def only(pieces: tuple[ChunkResult, ...]) -> ChunkTranscript:
    (piece,) = pieces
    return piece.transcript


@pytest.mark.parametrize("doubtful", ["", "ask", LOOP], ids=["empty", "far-too-short", "repetitive"])
def test_doubtful_text_is_asked_for_again(doubtful: str) -> None:
    """A text that is empty, far too short for the sound, or one phrase over and over, is asked for once more."""
    models = Models({"first": [doubtful, WORDS], "second": []})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    assert (transcript.text, transcript.model, transcript.warnings) == (WORDS, "first", ())
    assert (models.asked, transcript.usage) == (["first"] * 2, Usage(calls=2, audio_seconds=30))


@pytest.mark.parametrize("doubtful", ["", "ask", LOOP], ids=["empty", "far-too-short", "repetitive"])
def test_the_next_model_is_asked_where_the_client_left_it_open(doubtful: str) -> None:
    """After two doubtful texts of the first model, each other one is asked once; every call is on the bill."""
    models = Models({"first": [doubtful, doubtful], "second": [""], "third": [WORDS]})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    assert (transcript.text, transcript.model, transcript.warnings) == (WORDS, "third", ())
    assert models.asked == ["first", "first", "second", "third"]
    assert transcript.usage == Usage(calls=4, audio_seconds=60)


@pytest.mark.parametrize(
    ("doubtful", "says"), [("", NO_WORDS), ("ask", FEW_WORDS), (LOOP, "the same words come over and over")]
)
def test_what_stays_doubtful_is_warned_of(doubtful: str, says: str) -> None:
    """With a model that the client named, no other one is asked, and a warning names the span in the recording."""
    models = Models({"named": [doubtful, doubtful]})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    (warning,) = transcript.warnings
    assert warning.startswith("From 10:00 to 10:15 ")
    assert says in warning
    assert (transcript.text, models.asked, transcript.usage.calls) == (doubtful, ["named"] * 2, 2)


def test_the_best_of_doubtful_texts_is_taken() -> None:
    """Of texts that all seem to miss words, the one that misses the fewest is the answer; a loop is the worst."""
    models = Models({"first": ["", LOOP], "second": ["ask not"], "third": ["ask"]})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    assert (transcript.text, transcript.model, transcript.usage.calls) == ("ask not", "second", 4)
    assert FEW_WORDS in transcript.warnings[0]


def test_failures_of_the_other_models_are_passed_over() -> None:
    """When there is an answer already, another model that does not exist or fails is no error."""
    others: dict[str, list[Answer]] = {
        "second": [ModelNotFoundError("gone")],
        "third": [ApiFailedError("500")],
        "fourth": [WORDS],
    }
    models = Models({"first": ["", ""], **others})
    assert only(transcribe_chunk(chunk_of(15), models.asking())).model == "fourth"


def test_failure_of_asking_again_is_an_error() -> None:
    """What is wrong with the API may pass, and then all of it can be had; a doubtful text is not taken for it."""
    models = Models({"first": ["ask", ApiFailedError("500")], "second": [WORDS]})
    with pytest.raises(ApiFailedError):
        transcribe_chunk(chunk_of(15), models.asking())


def test_next_model_is_asked_where_one_finds_no_end() -> None:
    """A stop for length in a few seconds is no length: another model is asked, and not the same one again."""
    models = Models({"first": [LENGTH], "second": [WORDS]})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    assert (transcript.text, transcript.model, transcript.warnings) == (WORDS, "second", ())


def test_model_that_finds_no_end_where_it_is_asked_again() -> None:
    """A doubtful text with a warning is more than the error of a model that finds no end the second time."""
    models = Models({"named": ["ask", LENGTH]})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    assert (transcript.text, models.asked) == ("ask", ["named"] * 2)
    assert FEW_WORDS in transcript.warnings[0]


def test_stop_for_length_where_it_is_asked_again_is_split() -> None:
    """A model that says too little at first and then too much has more to say, and gets the chunk in parts."""
    models = Models({"first": ["ask", LENGTH, WORDS, WORDS]})
    pieces = transcribe_chunk(chunk_of(60, pauses=[(29, 31)]), models.asking())
    assert [piece.transcript.text for piece in pieces] == [WORDS] * 2


def test_the_first_model_that_exists_is_the_first() -> None:
    """A model that is gone is passed over without a word; when all are gone, that is the error."""
    models = Models({"gone": [ModelNotFoundError("gone")], "there": ["", WORDS]})
    transcript = only(transcribe_chunk(chunk_of(15), models.asking()))
    assert (transcript.model, transcript.usage.calls, models.asked) == ("there", 2, ["gone", "there", "there"])
    with pytest.raises(ModelNotFoundError, match="the last"):
        transcribe_chunk(
            chunk_of(15), Models({"a": [ModelNotFoundError("a")], "b": [ModelNotFoundError("the last")]}).asking()
        )


def test_failure_of_the_first_model_is_an_error() -> None:
    """What the first model fails with is raised, and no other model is asked instead."""
    models = Models({"first": [ApiFailedError("500")], "second": [WORDS]})
    with pytest.raises(ApiFailedError):
        transcribe_chunk(chunk_of(15), models.asking())
    assert models.asked == ["first"]


@pytest.mark.parametrize("pauses", [[(0.3, 15.0)], [(0.0, 7.0), (7.3, 15.0)]])
def test_hardly_any_sound_may_have_no_words(pauses: list[tuple[float, float]]) -> None:
    """A cough in silence, too short for a word, has none, and nobody is asked or warned for it."""
    models = Models({"first": [""]})
    assert only(transcribe_chunk(chunk_of(15, pauses=pauses), models.asking())).warnings == ()
    assert models.asked == ["first"]


def test_silence_is_not_sent() -> None:
    """A chunk that is known to be silent costs no call, and has no words."""
    chunk = chunk_of(15, pauses=[(0, 15)])
    silent = Chunk(chunk.span, chunk.container, chunk.body, chunk.layout, levels=listen(chunk))
    models = Models({"first": []})
    (piece,) = transcribe_chunk(silent, models.asking())
    assert (piece.was_sent, piece.transcript.text, piece.transcript.usage.calls) == (False, "", 0)
    assert (piece.span, models.calls) == (chunk.span, [])


@pytest.mark.parametrize("answer", ["No.", LOOP])
def test_answers_to_an_instruction_of_the_clients(answer: str) -> None:
    """Whoever asks for something else than the words may get a short answer, or the same many times over."""
    models = Models({"first": [answer]})
    transcript = only(transcribe_chunk(chunk_of(60), models.asking(is_transcription=False)))
    assert (transcript.text, transcript.warnings, models.asked) == (answer, (), ["first"])


def test_no_answer_to_an_instruction_of_the_clients() -> None:
    """An empty answer is doubted, whatever was asked for."""
    models = Models({"first": ["", "No."]})
    assert only(transcribe_chunk(chunk_of(60), models.asking(is_transcription=False))).text == "No."


def test_stop_for_length_is_split_until_it_fits() -> None:
    """A chunk whose text is too long for the output is cut in its pauses until each part fits; they cover all of it."""
    chunk = chunk_of(100, pauses=[(24, 26), (51, 53), (76, 78)])
    models = Models({"first": [LENGTH, LENGTH, *[WORDS] * 2, LENGTH, *[WORDS] * 2]})
    pieces = transcribe_chunk(chunk, models.asking())
    starts = [piece.span.start_seconds - BEFORE_SECONDS for piece in pieces]
    assert starts == pytest.approx([0, 25, 52, 77], abs=0.5)
    assert [piece.span.end_seconds for piece in pieces] == [*(piece.span.start_seconds for piece in pieces[1:]), 700]
    assert [piece.transcript.text for piece in pieces] == [WORDS] * 4
    assert len(models.calls) == 7


def test_stop_for_length_of_what_is_short_is_an_error() -> None:
    """Where each model finds no end in a few seconds of sound, it is not split any more, and the error says so."""
    models = Models({"first": [LENGTH], "second": [LENGTH]})
    with pytest.raises(TruncatedTranscriptError, match="Another model may do better"):
        transcribe_chunk(chunk_of(SHORTEST_SPLIT_SECONDS - 1), models.asking())
    assert models.asked == ["first", "second"]


def test_limit_of_the_clients_own_is_not_split_around() -> None:
    """A stop at the client's own max_tokens is an error that names it."""
    models = Models({"first": [TruncatedTranscriptError("max_tokens", param="max_tokens")]})
    with pytest.raises(TruncatedTranscriptError):
        transcribe_chunk(chunk_of(100), models.asking())
    assert len(models.calls) == 1


EARLY = Segment(0, 20, "and so my fellow Americans ask not what your country can do")
LATE = Segment(50, 60, "for your country")


def test_gap_by_the_apis_times_is_asked_for_alone() -> None:
    """Sound for long without a segment is asked for by its span, with the segment before it, and put in its place."""
    found = [Segment(0, 20, EARLY.text), Segment(21, 45, "for you ask what you can do")]
    models = Models({"first": [[EARLY, LATE], found]})
    transcript = only(transcribe_chunk(chunk_of(60), models.asking()))
    assert transcript.text == f"{EARLY.text} for you ask what you can do {LATE.text}"
    assert transcript.segments == (EARLY, Segment(21, 45, "for you ask what you can do"), LATE)
    assert models.calls == [("first", 600, 660), ("first", 600, 650)]
    assert (transcript.usage, transcript.warnings) == (Usage(calls=2, audio_seconds=110), ())


def test_gap_that_is_passed_over_again_is_asked_for_without_what_precedes_it() -> None:
    """A model that hears nothing more with the segment before the gap is asked for the gap alone, and that is moved."""
    models = Models({"first": [[EARLY, LATE], [EARLY], [Segment(1, 29, "for you ask what you can do")]]})
    transcript = only(transcribe_chunk(chunk_of(60), models.asking()))
    assert transcript.segments == (EARLY, Segment(21, 49, "for you ask what you can do"), LATE)
    assert models.calls[1:] == [("first", 600, 650), ("first", 620, 650)]


def test_gap_that_stays_is_warned_of() -> None:
    """A span with sound that has no words, however it is asked for, has a warning with its times; all is paid for."""
    models = Models({"first": [[EARLY, LATE], "", LOOP]})
    transcript = only(transcribe_chunk(chunk_of(60), models.asking()))
    (warning,) = transcript.warnings
    assert warning.startswith(f"From 10:20 to 10:50 {NO_WORDS}")
    assert (transcript.segments, transcript.usage.calls) == ((EARLY, LATE), 3)


@pytest.mark.parametrize(
    "failure", [ApiFailedError("500"), ApiTimeoutError("504"), LENGTH], ids=["500", "504", "length"]
)
def test_gap_that_cannot_be_asked_for_is_warned_of(failure: ApiError) -> None:
    """When the call for a gap alone fails, what was heard around it is the answer, and the gap has a warning."""
    models = Models({"first": [[EARLY, LATE], failure, failure]})
    transcript = only(transcribe_chunk(chunk_of(60), models.asking()))
    (warning,) = transcript.warnings
    assert warning.startswith(f"From 10:20 to 10:50 {NO_WORDS}")
    assert (transcript.segments, transcript.usage.calls) == ((EARLY, LATE), 1)


def test_gap_in_an_answer_to_an_instruction_of_the_clients() -> None:
    """Whoever asks for something else than the words may get it with any times."""
    models = Models({"first": [[EARLY, LATE]]})
    assert only(transcribe_chunk(chunk_of(60), models.asking(is_transcription=False))).warnings == ()
    assert len(models.calls) == 1


@pytest.mark.parametrize("pauses", [[(20, 50)], [(20, 33), (36, 50)]])
def test_pause_is_no_gap(pauses: list[tuple[float, float]]) -> None:
    """A long time without words and without much sound is a pause, and nobody is asked for it."""
    models = Models({"first": [[EARLY, LATE]]})
    assert only(transcribe_chunk(chunk_of(60, pauses=pauses), models.asking())).warnings == ()
    assert len(models.calls) == 1


def test_times_are_given_where_they_are_wanted() -> None:
    """A piece has segments in the recording's time where the client wants them, and none otherwise."""
    for wants_times in (True, False):
        (piece,) = transcribe_chunk(chunk_of(15), Models({"first": [WORDS]}).asking(wants_times=wants_times))
        assert [segment.text for segment in piece.segments] == ([WORDS] if wants_times else [])
        assert all(BEFORE_SECONDS <= segment.start_seconds < BEFORE_SECONDS + 1 for segment in piece.segments)
