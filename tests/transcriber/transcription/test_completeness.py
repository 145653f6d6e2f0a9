"""Completeness: what a model leaves out shows against the sound, is transcribed again, and at last warned of."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from support.recordings import hum

from transcriber.api.backend import CallContext, ChunkTranscript, Usage
from transcriber.api.models import ModelCatalog
from transcriber.audio.containers import Container
from transcriber.audio.wav import read_layout
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.deadline import Deadline
from transcriber.errors import (
    ApiError,
    ApiFailedError,
    ApiTimeoutError,
    ModelNotFoundError,
    TranscriberError,
    TruncatedTranscriptError,
)
from transcriber.request.options import TranscriptionOptions
from transcriber.request_log import JsonLogger
from transcriber.response_format import ResponseFormat
from transcriber.settings import ApiKind, Settings
from transcriber.spans import Segment, Span
from transcriber.transcription import completeness
from transcriber.transcription.chunk_calls import ChunkCalls
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.completeness import SHORTEST_SPLIT_SECONDS, transcribe_chunk
from transcriber.transcription.issues import FEW_WORDS, NO_WORDS, TOO_MANY_WORDS
from transcriber.transcription.pace import Paced

BEFORE_SECONDS = 600.0
WORDS = "ask not what your country can do for you"
LONG = (
    "ask not what your country can do for you ask what you can do for your country my fellow citizens of the world ask "
    "not what america will do for you but what together we can do for the freedom of man"
)
LOOP = "thank you for watching " * 10
LENGTH = TruncatedTranscriptError("It stopped at its output limit.")

# A model's answer for a chunk: a text with or without times, or an error.
Answer = str | Sequence[Segment] | TranscriberError


@dataclass
class Models:
    """Models that give the answers of a test, one after the other, and the calls that were made: model and span."""

    answers: dict[str, list[Answer]]
    calls: list[tuple[str, float, float]] = field(default_factory=list)
    prompts: list[str | None] = field(default_factory=list)

    def answer(self, chunk: Chunk, model: str) -> ChunkTranscript:
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
    def called(self) -> list[str]:
        return [model for model, _, _ in self.calls]

    def chunk_calls(self, *, is_verbatim: bool = True, wants_times: bool = False) -> ChunkCalls:
        settings = Settings(
            api_key="key", models=tuple(self.answers), model_apis=dict.fromkeys(self.answers, ApiKind.CHAT)
        )
        response_format = ResponseFormat.VERBOSE_JSON if wants_times else ResponseFormat.JSON
        return ChunkCalls(
            settings=settings,
            api=_Listing(self),
            catalog=ModelCatalog(settings),
            backends={ApiKind.CHAT: _StubBackend(self, is_verbatim=is_verbatim)},
            options=TranscriptionOptions(response_format=response_format),
            context=CallContext(Deadline(60), log=JsonLogger("error")),
        )


class _StubBackend:
    """A backend that gives the models' answers without a call."""

    def __init__(self, models: Models, *, is_verbatim: bool) -> None:
        self.models = models
        self._is_verbatim = is_verbatim

    def is_verbatim(self, options: TranscriptionOptions) -> bool:  # noqa: ARG002 # the protocol's
        return self._is_verbatim

    def transcribe(self, chunk: Chunk, *, model: str, options: TranscriptionOptions, **_: object) -> ChunkTranscript:
        self.models.prompts.append(options.prompt)
        return self.models.answer(chunk, model)


@dataclass
class _Listing:
    """An API whose list names all models; it is never called otherwise."""

    listed: Models

    def models(self, *, deadline: Deadline) -> frozenset[str]:  # noqa: ARG002 # the protocol's
        return frozenset(self.listed.answers)

    def post(self, *_: object, **__: object) -> Any:
        raise AssertionError

    def expected_seconds(self, audio_seconds: float) -> float:
        raise AssertionError(audio_seconds)


def chunk_of(seconds: float, *, pauses: Sequence[tuple[float, float]] = ()) -> Chunk:
    """A chunk of a hum with pauses, ten minutes into a recording."""
    data = hum(seconds, pauses=pauses)
    layout = read_layout(data)
    assert layout is not None
    return Chunk(Span(BEFORE_SECONDS, BEFORE_SECONDS + seconds), Container.WAV, BytesPayload([data]), layout)


def only(results: tuple[ChunkResult, ...]) -> ChunkResult:
    (result,) = results
    return result


@pytest.mark.parametrize("doubtful", ["", "ask", LOOP], ids=["empty", "far-too-short", "repetitive"])
def test_doubtful_chunk_is_transcribed_again(doubtful: str) -> None:
    """A chunk whose text is empty, far too short for the sound, or one phrase over and over, is transcribed again."""
    models = Models({"first": [doubtful, WORDS], "second": []})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    assert (result.text, result.model, result.warnings) == (WORDS, "first", ())
    assert (models.called, result.usage) == (["first"] * 2, Usage(calls=2, audio_seconds=30))


@pytest.mark.parametrize("doubtful", ["", "ask", LOOP], ids=["empty", "far-too-short", "repetitive"])
def test_next_model_where_the_client_left_it_open(doubtful: str) -> None:
    """After two doubtful texts of the first model, each other one is called once; every call counts as usage."""
    models = Models({"first": [doubtful, doubtful], "second": [""], "third": [WORDS]})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    assert (result.text, result.model, result.warnings) == (WORDS, "third", ())
    assert models.called == ["first", "first", "second", "third"]
    assert result.usage == Usage(calls=4, audio_seconds=60)


@pytest.mark.parametrize(
    ("doubtful", "says"), [("", NO_WORDS), ("ask", FEW_WORDS), (LOOP, "the same words come over and over")]
)
def test_doubtful_result_has_a_warning(doubtful: str, says: str) -> None:
    """With a model that the client named, no other one is called, and a warning names the span in the recording."""
    models = Models({"named": [doubtful, doubtful]})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    (warning,) = result.warnings
    assert warning.startswith("From 10:00 to 10:15 ")
    assert says in warning
    assert (result.text, models.called, result.usage.calls) == (doubtful, ["named"] * 2, 2)


def test_best_of_doubtful_texts_is_the_result() -> None:
    """Of texts that all seem to miss words, the one that misses the fewest is the result; a loop is the worst."""
    models = Models({"first": ["", LOOP], "second": ["ask not"], "third": ["ask"]})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    assert (result.text, result.model, result.usage.calls) == ("ask not", "second", 4)
    assert FEW_WORDS in result.warnings[0]


def test_failures_of_other_models_are_passed_over() -> None:
    """When there is a transcript already, another model that does not exist or fails is no error."""
    others: dict[str, list[Answer]] = {
        "second": [ModelNotFoundError("gone")],
        "third": [ApiFailedError("500")],
        "fourth": [WORDS],
    }
    models = Models({"first": ["", ""], **others})
    assert only(transcribe_chunk(chunk_of(15), models.chunk_calls())).model == "fourth"


def test_failure_of_the_second_call_is_an_error() -> None:
    """A failure of the API may pass, and a later request may get the whole text: a doubtful one does not replace it."""
    models = Models({"first": ["ask", ApiFailedError("500")], "second": [WORDS]})
    with pytest.raises(ApiFailedError):
        transcribe_chunk(chunk_of(15), models.chunk_calls())


def test_next_model_where_one_finds_no_end() -> None:
    """A model that reaches its output limit in a few seconds finds no end: another one is called instead."""
    models = Models({"first": [LENGTH], "second": [WORDS]})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    assert (result.text, result.model, result.warnings) == (WORDS, "second", ())


def test_model_that_finds_no_end_the_second_time() -> None:
    """A doubtful text with a warning is better than the error of a model that finds no end the second time."""
    models = Models({"named": ["ask", LENGTH]})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    assert (result.text, models.called) == ("ask", ["named"] * 2)
    assert FEW_WORDS in result.warnings[0]


def test_chunk_is_split_when_the_second_text_is_too_long() -> None:
    """A chunk whose first text is too short and whose second reaches the output limit is transcribed in halves."""
    models = Models({"first": ["ask", LENGTH, LONG, LONG]})
    results = transcribe_chunk(chunk_of(60, pauses=[(29, 31)]), models.chunk_calls())
    assert [result.text for result in results] == [LONG] * 2


def test_first_model_is_the_first_that_exists() -> None:
    """A model that does not exist is passed over silently; when none exists, that is the error."""
    models = Models({"gone": [ModelNotFoundError("gone")], "there": ["", WORDS]})
    result = only(transcribe_chunk(chunk_of(15), models.chunk_calls()))
    assert (result.model, result.usage.calls, models.called) == ("there", 2, ["gone", "there", "there"])
    with pytest.raises(ModelNotFoundError, match="the last"):
        transcribe_chunk(
            chunk_of(15), Models({"a": [ModelNotFoundError("a")], "b": [ModelNotFoundError("the last")]}).chunk_calls()
        )


def test_failure_of_the_first_model_is_an_error() -> None:
    """The first model's failure is raised, and no other model is called instead."""
    models = Models({"first": [ApiFailedError("500")], "second": [WORDS]})
    with pytest.raises(ApiFailedError):
        transcribe_chunk(chunk_of(15), models.chunk_calls())
    assert models.called == ["first"]


@pytest.mark.parametrize("pauses", [[(0.3, 15.0)], [(0.0, 7.0), (7.3, 15.0)]])
def test_hardly_any_sound_needs_no_words(pauses: list[tuple[float, float]]) -> None:
    """A cough in silence, too short for a word, has none, and causes neither a call nor a warning."""
    models = Models({"first": [""]})
    assert only(transcribe_chunk(chunk_of(15, pauses=pauses), models.chunk_calls())).warnings == ()
    assert models.called == ["first"]


def test_silence_is_not_sent() -> None:
    """A silent chunk costs no call, and has no words."""
    chunk = chunk_of(15, pauses=[(0, 15)])
    silent = replace(chunk, measured=chunk.loudness)
    models = Models({"first": []})
    (result,) = transcribe_chunk(silent, models.chunk_calls())
    assert (result.is_silent, result.text, result.usage.calls) == (True, "", 0)
    assert (result.span, models.calls) == (chunk.span, [])


@pytest.mark.parametrize("answer", ["No.", LOOP])
def test_answers_to_the_clients_instruction(answer: str) -> None:
    """The answer to an instruction of the client's own may be short, or repeat itself."""
    models = Models({"first": [answer]})
    result = only(transcribe_chunk(chunk_of(60), models.chunk_calls(is_verbatim=False)))
    assert (result.text, result.warnings, models.called) == (answer, (), ["first"])


def test_empty_answer_to_the_clients_instruction() -> None:
    """An empty answer is doubtful, whatever the instruction."""
    models = Models({"first": ["", "No."]})
    assert only(transcribe_chunk(chunk_of(60), models.chunk_calls(is_verbatim=False))).text == "No."


def test_chunk_is_split_until_its_text_fits() -> None:
    """A chunk whose text exceeds the output limit is cut in its pauses until each part fits; they cover all of it."""
    chunk = chunk_of(100, pauses=[(24, 26), (51, 53), (76, 78)])
    models = Models({"first": [LENGTH, LENGTH, *[LONG] * 2, LENGTH, *[LONG] * 2]})
    results = transcribe_chunk(chunk, models.chunk_calls())
    starts = [result.span.start_seconds - BEFORE_SECONDS for result in results]
    assert starts == pytest.approx([0, 25, 52, 77], abs=0.5)
    assert [result.span.end_seconds for result in results] == [
        *(result.span.start_seconds for result in results[1:]),
        700,
    ]
    assert [result.text for result in results] == [LONG] * 4
    assert len(models.calls) == 7


def test_short_chunk_without_an_end_is_an_error() -> None:
    """When each model finds no end in a few seconds of sound, the chunk is not split, and the error says why."""
    models = Models({"first": [LENGTH], "second": [LENGTH]})
    with pytest.raises(TruncatedTranscriptError, match="Another model may do better"):
        transcribe_chunk(chunk_of(SHORTEST_SPLIT_SECONDS - 1), models.chunk_calls())
    assert models.called == ["first", "second"]


def test_clients_own_limit_is_not_split_around() -> None:
    """A text that reaches the client's own max_tokens is an error that names it."""
    models = Models({"first": [TruncatedTranscriptError("max_tokens", param="max_tokens")]})
    with pytest.raises(TruncatedTranscriptError):
        transcribe_chunk(chunk_of(100), models.chunk_calls())
    assert len(models.calls) == 1


EARLY = Segment(
    0,
    20,
    "and mister john dashwood had then leisure to consider how much there might be prudently in his power to do for "
    "them he was not an ill disposed young man unless to be rather cold hearted and rather selfish is to be ill "
    "disposed but he was in general well respected for he conducted himself with propriety",
)
LATE = Segment(
    50,
    60,
    "in the discharge of his ordinary duties had he married a more amiable woman he might have been made still more "
    "respectable than he was he might even have been made amiable himself",
)


def test_gap_by_the_apis_times_is_transcribed_alone() -> None:
    """A long span of sound without a segment is transcribed, with the segment before it, and put in its place."""
    found = [Segment(0, 20, EARLY.text), Segment(21, 45, LONG)]
    models = Models({"first": [[EARLY, LATE], found]})
    transcript, _ = completeness._most_complete(chunk_of(60), models.chunk_calls())
    assert transcript.text == f"{EARLY.text} {LONG} {LATE.text}"
    assert transcript.segments == (EARLY, Segment(21, 45, LONG), LATE)
    assert models.calls == [("first", 600, 660), ("first", 600, 650)]
    assert (transcript.usage, transcript.warnings) == (Usage(calls=2, audio_seconds=110), ())


def test_gap_that_is_skipped_again_is_transcribed_without_the_segment_before() -> None:
    """When the segment before the gap yields nothing new, the gap alone is transcribed, and its times are moved."""
    models = Models({"first": [[EARLY, LATE], [EARLY], [Segment(1, 29, "for you ask what you can do")]]})
    transcript, _ = completeness._most_complete(chunk_of(60), models.chunk_calls())
    assert transcript.segments == (EARLY, Segment(21, 49, "for you ask what you can do"), LATE)
    assert models.calls[1:] == [("first", 600, 650), ("first", 620, 650)]


def test_gap_that_remains_has_a_warning() -> None:
    """A span with sound that yields no words has a warning with its times, and all calls count as usage."""
    models = Models({"first": [[EARLY, LATE], "", LOOP]})
    transcript, _ = completeness._most_complete(chunk_of(60), models.chunk_calls())
    (warning,) = transcript.warnings
    assert warning.startswith(f"From 10:20 to 10:50 {NO_WORDS}")
    assert (transcript.segments, transcript.usage.calls) == ((EARLY, LATE), 3)


def test_words_stretched_over_a_gap_are_not_there_twice() -> None:
    """A segment with few words for its sound gives way to what the sound alone has, and never stands beside it."""
    few = Segment(0, 60, "ask not what your country can do for you")
    again = Segment(0, 58, "ask not what your country can do for you my fellow americans")
    models = Models({"first": [[few], [few], [again], "", "", ""]})
    results = transcribe_chunk(chunk_of(60, pauses=[(0, 2)]), models.chunk_calls())
    assert only(results).text.count("ask not") == 1


@pytest.mark.parametrize(
    "failure", [ApiFailedError("500"), ApiTimeoutError("504"), LENGTH], ids=["500", "504", "length"]
)
def test_gap_whose_call_fails_has_a_warning(failure: ApiError) -> None:
    """When the call for a gap fails, the words around it are the result, and the gap has a warning."""
    models = Models({"first": [[EARLY, LATE], failure, failure]})
    transcript, _ = completeness._most_complete(chunk_of(60), models.chunk_calls())
    (warning,) = transcript.warnings
    assert warning.startswith(f"From 10:20 to 10:50 {NO_WORDS}")
    assert (transcript.segments, transcript.usage.calls) == ((EARLY, LATE), 1)


def test_gap_in_an_answer_to_the_clients_instruction() -> None:
    """The answer to an instruction of the client's own may have any times."""
    models = Models({"first": [[EARLY, LATE]]})
    assert only(transcribe_chunk(chunk_of(60), models.chunk_calls(is_verbatim=False))).warnings == ()
    assert len(models.calls) == 1


@pytest.mark.parametrize("pauses", [[(20, 50)], [(20, 33), (36, 50)]])
def test_pause_is_not_a_gap(pauses: list[tuple[float, float]]) -> None:
    """A long time without words and without much sound is a pause, and causes no call."""
    models = Models({"first": [[EARLY, LATE]]})
    assert only(transcribe_chunk(chunk_of(60, pauses=pauses), models.chunk_calls())).warnings == ()
    assert len(models.calls) == 1


def test_times_are_given_where_they_are_wanted() -> None:
    """A piece has segments in the recording's time where the client wants them, and none otherwise."""
    for wants_times in (True, False):
        (result,) = transcribe_chunk(chunk_of(15), Models({"first": [WORDS]}).chunk_calls(wants_times=wants_times))
        assert [segment.text for segment in result.segments] == ([WORDS] if wants_times else [])
        assert all(BEFORE_SECONDS <= segment.start_seconds < BEFORE_SECONDS + 1 for segment in result.segments)


def test_lost_half_is_found_in_halves() -> None:
    """A text with half of the words of a slow speaker is requested again, then in halves, and these are the result."""
    half = EARLY.text[:130]
    models = Models({"first": [half, half, EARLY.text, LATE.text]})
    (result,) = transcribe_chunk(chunk_of(60, pauses=[(29, 31)]), models.chunk_calls())
    assert (result.text, result.warnings, result.is_doubtful) == (f"{EARLY.text} {LATE.text}", (), False)
    assert [round(end - start) for _, start, end in models.calls] == [60, 60, 30, 30]
    assert result.usage.calls == 4


def test_pace_of_the_other_chunks_counts() -> None:
    """A text that would do for a slow speaker is in doubt where the other chunks have many more words a second."""
    models = Models({"first": [EARLY.text, EARLY.text, EARLY.text, LATE.text]})
    calls = models.chunk_calls()
    for number in range(4):
        span = Span(60.0 * number, 60.0 * number + 60)
        calls.pace.add(Paced(span, f"{EARLY.text} {LATE.text} {number}", 60.0))
    (result,) = transcribe_chunk(chunk_of(60, pauses=[(29, 31)]), calls)
    assert (result.text, result.warnings) == (f"{EARLY.text} {LATE.text}", ())


def test_text_that_is_there_twice_is_in_doubt() -> None:
    """A text that is there twice is requested again; where it stays so, a warning says that it is too long."""
    once = f"{EARLY.text} {LATE.text}"
    models = Models({"first": [f"{once} {once}", once]})
    assert only(transcribe_chunk(chunk_of(30), models.chunk_calls())).text == once
    (warning,) = only(transcribe_chunk(chunk_of(30), Models({"first": [f"{once} {once}"] * 2}).chunk_calls())).warnings
    assert TOO_MANY_WORDS in warning


def test_text_of_the_previous_chunk_is_in_doubt() -> None:
    """Words of the chunk before, in front of the chunk's own, are more than its sound has time for."""
    models = Models({"first": [f"{EARLY.text} {LATE.text}", LATE.text]})
    calls = models.chunk_calls()
    calls.pace.add(Paced(Span(0, 20), EARLY.text, 20.0))
    assert only(transcribe_chunk(chunk_of(15), calls)).text == LATE.text


def test_prompt_that_costs_words_is_not_sent_again() -> None:
    """Where a model has more words without its prompt, these are the result, and it gets no prompt from then on."""
    models = Models({"first": ["ask", LONG, LONG]})
    calls = replace(models.chunk_calls(), options=TranscriptionOptions(prompt="Names: Kennedy"))
    calls = replace(
        calls,
        settings=replace(calls.settings, model_apis={"first": ApiKind.TRANSCRIPTIONS}),
        backends={ApiKind.TRANSCRIPTIONS: calls.backends[ApiKind.CHAT]},
    )
    assert only(transcribe_chunk(chunk_of(30), calls)).text == LONG
    assert models.prompts == ["Names: Kennedy", None]
    (warning,) = only(transcribe_chunk(chunk_of(30), calls)).warnings
    assert "The prompt was not used" in warning
    assert models.prompts[2:] == [None]


def test_half_a_surrogate_pair_is_no_error() -> None:
    """Half of a pair, which JSON can spell, becomes the replacement character; two halves that fit are one."""
    models = Models({"first": [f"{LONG} \ud83d\ude00 \ud800."]})
    assert only(transcribe_chunk(chunk_of(15), models.chunk_calls())).text == f"{LONG} 😀 \ufffd."


def test_text_that_is_longer_than_any_speech_is_refused() -> None:
    """A text of more than a hundred characters for each second is no transcript, and is not aligned."""
    with pytest.raises(ApiFailedError, match="no transcript"):
        transcribe_chunk(chunk_of(15), Models({"first": ["so " * 50_000]}).chunk_calls())
