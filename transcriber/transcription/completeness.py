"""Has one chunk transcribed until nothing speaks against its text being whole, or says what does.

What a model leaves out cannot be seen in its text alone; it shows against the sound. A text that is empty or far too
short for the sound in the chunk, words that stop while the sound goes on, and the same words over and over are asked
for again, and then from the next model where the client left the model open. What still seems to be missing is warned
of.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise

from transcriber.api.backend import ChunkTranscript
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cutting import is_silent, listen, part_of, split
from transcriber.errors import ApiError, ModelNotFoundError, TruncatedTranscriptError
from transcriber.spans import Segment, Span, clock_time
from transcriber.text.joining import join_texts
from transcriber.text.repetition import is_repetitive
from transcriber.transcription.timing import segments_of

# Whoever reads slowly says eight letters a second, and in scripts with a character for a syllable three; a text with
# fewer than this for each second of sound cannot be all of it.
MIN_CHARACTERS_PER_SECOND = 1.0
# Less sound than this may be a cough, or a door.
MIN_SPEECH_SECONDS = 0.5
# Sound for so long without words may be a span that a model passed over: windows of 30 s are what such models lose.
WORDLESS_SECONDS = 10.0
# And at least so much of it is sound, where somebody speaks: the rest is pauses. In a long pause it is nothing but the
# edges of the words before and after it, which the API's times are that much off.
WORDLESS_SOUND_SECONDS = 3.0
# A chunk this short is not split any more: a model that stops for length in it does not stop for its length.
SHORTEST_SPLIT_SECONDS = 20.0

# How often the model that comes first is asked for what is doubtful; each other one is asked once.
FIRST_MODEL_CALLS = 2

# The transcript of a chunk that was not sent.
EMPTY = ChunkTranscript(text="", model="")
# What warnings say.
NO_WORDS = "there is sound, and no words were found."
FEW_WORDS = "there is sound, and few words were found."
LISTEN = "Listen to it: words may be missing."
# What the error of a chunk says that no model finds an end of.
NO_END = (
    f"In less than {SHORTEST_SPLIT_SECONDS:g} s of sound the model stopped at its output limit, so its transcript "
    "would be cut off. Another model may do better: name it as the model."
)


@dataclass(frozen=True)
class ChunkResult:
    """What was heard in a span of the recording; `segments` are in seconds from the recording's start."""

    span: Span
    transcript: ChunkTranscript
    segments: tuple[Segment, ...] = ()
    was_sent: bool = True


@dataclass(frozen=True)
class ChunkCalls:
    """How to ask for a chunk's transcript: of which model first, of which ones then, and what is wanted of it.

    `is_transcription` is false for an instruction of the client's own, whose answer may be short, or say things twice.
    """

    ask: Callable[[Chunk, str], ChunkTranscript]
    models: Callable[[], Iterable[str]]
    is_transcription: bool
    wants_times: bool


def transcribe_chunk(chunk: Chunk, asking: ChunkCalls) -> tuple[ChunkResult, ...]:
    """What is said in `chunk`, in one piece or more; the first error that keeps it from being heard at all."""
    if is_silent(chunk):
        return (ChunkResult(chunk.span, EMPTY, was_sent=False),)
    try:
        transcript = _ask_until_whole(chunk, asking)
    except TruncatedTranscriptError as error:
        if not _can_be_split(chunk, error):
            raise
        return tuple(piece for part in split(chunk) for piece in transcribe_chunk(part, asking))
    segments = segments_of(chunk, transcript) if asking.wants_times else ()
    return (ChunkResult(chunk.span, transcript, segments),)


def _can_be_split(chunk: Chunk, error: TruncatedTranscriptError) -> bool:
    """Whether a stop for length may be one, and not the client's own limit or a model that finds no end."""
    return error.param is None and chunk.duration_seconds >= SHORTEST_SPLIT_SECONDS


def _ask_until_whole(chunk: Chunk, asking: ChunkCalls) -> ChunkTranscript:
    """The first answer that nothing speaks against, or the best of them, with a warning."""
    answers: list[tuple[ChunkTranscript, _CompletenessIssue]] = []
    for answer in _answers(chunk, asking):
        doubt = _doubt(chunk, answer, asking)
        if doubt is None:
            return _without_gaps(chunk, _paid(answer, answers), asking)
        answers.append((answer, doubt))
    if not answers:
        raise TruncatedTranscriptError(NO_END)
    best, doubt = min(answers, key=lambda each: each[1].missing_seconds)
    others = [each for each in answers if each[0] is not best]
    return _paid(replace(best, warnings=(*best.warnings, doubt.warning)), others)


def _answers(chunk: Chunk, asking: ChunkCalls) -> Iterator[ChunkTranscript]:
    """What the first model that there is answers, twice, and then what each other one does; the first one's errors.

    A model that finds no end in a chunk that is too short to be split has no answer, and is not asked for it again.
    """
    models = iter(asking.models())
    missing: ModelNotFoundError | None = None
    for model in models:
        try:
            for _ in range(FIRST_MODEL_CALLS):
                yield asking.ask(chunk, model)
        except ModelNotFoundError as error:
            missing = error
            continue
        except TruncatedTranscriptError as error:
            if error.param is not None or _can_be_split(chunk, error):
                raise
        break
    else:
        raise missing or AssertionError  # whoever names models raises where there are none
    for model in models:
        # Whatever is wrong with it, the first one has had its say.
        with suppress(ApiError):
            yield asking.ask(chunk, model)


def _paid(
    transcript: ChunkTranscript, others: Iterable[tuple[ChunkTranscript, "_CompletenessIssue"]]
) -> ChunkTranscript:
    """The transcript, with what the others took added to its usage."""
    return replace(transcript, usage=sum((other.usage for other, _ in others), start=transcript.usage))


@dataclass(frozen=True)
class _CompletenessIssue:
    """What speaks against a text being whole: how many seconds of sound have no words, and what to say of it."""

    missing_seconds: float
    warning: str


def _doubt(chunk: Chunk, answer: ChunkTranscript, asking: ChunkCalls) -> _CompletenessIssue | None:
    where = _where(chunk.span)
    if asking.is_transcription and is_repetitive(answer.text):
        # Worse than no text at all for as long.
        return _CompletenessIssue(2 * chunk.duration_seconds, f"{where} the same words come over and over. {LISTEN}")
    characters = sum(not character.isspace() for character in answer.text)
    # Most texts are long enough whatever is in the chunk, and then nobody has to listen to it.
    if characters >= (chunk.duration_seconds * MIN_CHARACTERS_PER_SECOND if asking.is_transcription else 1):
        return None
    speech_seconds = listen(chunk).speech_seconds
    if speech_seconds < MIN_SPEECH_SECONDS or characters >= max(1, speech_seconds * MIN_CHARACTERS_PER_SECOND):
        return None
    missing_seconds = speech_seconds - characters / MIN_CHARACTERS_PER_SECOND
    return _CompletenessIssue(missing_seconds, f"{where} {FEW_WORDS if characters else NO_WORDS} {LISTEN}")


def _without_gaps(chunk: Chunk, answer: ChunkTranscript, asking: ChunkCalls) -> ChunkTranscript:
    """The answer with the words of each span that, by the API's own times, it has none for although there is sound.

    Only the span is asked for, which costs little, and which a model that passed over it may hear by itself: first with
    the segment before it, which may have been broken off with it, and then alone.
    """
    if answer.segments is None or not asking.is_transcription:
        return answer
    for with_segment_before in (True, False):
        for gap in _gaps(chunk, answer):
            answer = _filled(chunk, answer, gap, asking, with_segment_before=with_segment_before)
    offset = chunk.span.start_seconds - chunk.preroll_seconds
    warnings = [
        f"{_where(Span(offset + gap.start_seconds, offset + gap.end_seconds))} {NO_WORDS} {LISTEN}"
        for gap in _gaps(chunk, answer)
    ]
    return replace(answer, warnings=(*answer.warnings, *warnings))


def _filled(
    chunk: Chunk, answer: ChunkTranscript, gap: Span, asking: ChunkCalls, *, with_segment_before: bool
) -> ChunkTranscript:
    segments = answer.segments or ()
    before = [segment for segment in segments if segment.start_seconds <= gap.start_seconds][-1:]
    again = before if with_segment_before else []
    part = part_of(chunk, Span(min([gap.start_seconds, *(s.start_seconds for s in again)]), gap.end_seconds))
    try:
        heard = asking.ask(part, answer.model)
    except ApiError:
        # The gap stays, and is warned of: the words around it, which are paid for, are not given up for it.
        return answer
    answer = replace(answer, usage=answer.usage + heard.usage)
    if len(heard.text) <= sum(len(segment.text) for segment in again) or is_repetitive(heard.text):
        return answer
    offset = part.span.start_seconds - part.preroll_seconds - (chunk.span.start_seconds - chunk.preroll_seconds)
    found = heard.segments or (Segment(0.0, part.duration_seconds, heard.text),)
    moved = [Segment(offset + s.start_seconds, offset + s.end_seconds, s.text) for s in found]
    merged = sorted([*(s for s in segments if s not in again), *moved], key=lambda segment: segment.start_seconds)
    return replace(answer, text=join_texts(segment.text for segment in merged), segments=tuple(merged))


def _gaps(chunk: Chunk, answer: ChunkTranscript) -> tuple[Span, ...]:
    """The spans of the chunk, in seconds from its first byte, that have sound and for long no words."""
    wordless = _wordless(listen(chunk).speech, answer.segments or ())
    return tuple(gap for gap, sound_seconds in wordless if _is_noticeable(gap, sound_seconds))


def _is_noticeable(gap: Span, sound_seconds: float) -> bool:
    return gap.duration_seconds >= WORDLESS_SECONDS and sound_seconds >= WORDLESS_SOUND_SECONDS


def _wordless(speech: Sequence[Span], segments: Sequence[Segment]) -> Iterator[tuple[Span, float]]:
    """Between which moments there is speech and no segment, and how many seconds of it."""
    borders = [(0.0, 0.0), *((s.start_seconds, s.end_seconds) for s in segments), (float("inf"), float("inf"))]
    for (_, end), (start, _) in pairwise(borders):
        inside = [
            Span(max(end, span.start_seconds), min(start, span.end_seconds))
            for span in speech
            if span.end_seconds > end and span.start_seconds < start
        ]
        if inside:
            sound_seconds = sum(span.duration_seconds for span in inside)
            yield Span(inside[0].start_seconds, inside[-1].end_seconds), sound_seconds


def _where(span: Span) -> str:
    return f"From {clock_time(span.start_seconds)} to {clock_time(span.end_seconds)}"
