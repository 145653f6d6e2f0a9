"""Has one chunk transcribed until nothing speaks against its text being whole, or says what does.

What a model leaves out cannot be seen in its text alone; it shows against the sound. A text that is empty or far too
short for the sound in the chunk, words that stop while the sound goes on, and the same words over and over are asked
for again, and then from the next model where the client left the model open. What still seems to be missing is warned
of.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from transcriber.backends import ChunkTranscript
from transcriber.chunks import Chunk
from transcriber.cutting import listen, split
from transcriber.errors import ModelNotFoundError, TruncatedTranscriptError
from transcriber.repetition import is_repetitive
from transcriber.segments import Segment, Span, clock_time
from transcriber.timing import segments_of

# Whoever reads slowly says eight letters a second, and in scripts with a character for a syllable three; a text with
# fewer than this for each second of sound cannot be all of it.
MIN_CHARACTERS_PER_SECOND = 1.0
# Less sound than this may be a cough, or a door.
MIN_SPEECH_SECONDS = 0.5
# Words come with less than this between them; sound for so long without any is a span that a model passed over: windows
# of 30 s are what such models lose. It may be music, which is why it is asked for once more only.
LONGEST_WORDLESS_SECONDS = 10.0
# A chunk this short is not split any more: a model that stops for length in it does not stop for its length.
SHORTEST_SPLIT_SECONDS = 20.0

# The transcript of a chunk that was not sent.
NOTHING = ChunkTranscript(text="", model="")
# How a warning ends.
LISTEN = "Listen to it: words may be missing."


@dataclass(frozen=True)
class Piece:
    """What was heard in a span of the recording; `segments` are in seconds from the recording's start."""

    span: Span
    transcript: ChunkTranscript
    segments: tuple[Segment, ...] = ()
    was_sent: bool = True


@dataclass(frozen=True)
class Asking:
    """How to ask for a chunk's transcript: of which model first, of which ones then, and what is wanted of it.

    `is_transcription` is false for an instruction of the client's own, whose answer may be short, or say things twice.
    """

    ask: Callable[[Chunk, str], ChunkTranscript]
    models: Callable[[], Iterable[str]]
    is_transcription: bool
    wants_times: bool


def hear(chunk: Chunk, asking: Asking) -> tuple[Piece, ...]:
    """What is said in `chunk`, in one piece or more; the first error that keeps it from being heard at all."""
    if chunk.levels is not None and chunk.levels.is_silent:
        return (Piece(chunk.span, NOTHING, was_sent=False),)
    try:
        transcript = _ask_until_whole(chunk, asking)
    except TruncatedTranscriptError as error:
        if error.param is not None or chunk.duration_seconds < SHORTEST_SPLIT_SECONDS:
            raise
        return tuple(piece for part in split(chunk) for piece in hear(part, asking))
    segments = segments_of(chunk, transcript) if asking.wants_times else ()
    return (Piece(chunk.span, transcript, segments),)


def _ask_until_whole(chunk: Chunk, asking: Asking) -> ChunkTranscript:
    """The first answer that nothing speaks against, or the best of them, with a warning."""
    answers: list[tuple[ChunkTranscript, _Doubt]] = []
    for answer in _answers(chunk, asking):
        doubt = _doubt(chunk, answer, asking)
        if doubt is None:
            return _paid(answer, answers)
        answers.append((answer, doubt))
        if doubt.is_mild and len(answers) > 1 and answers[-2][0].text == answer.text:
            break
    best, doubt = min(answers, key=lambda each: each[1].missing_seconds)
    others = [each for each in answers if each[0] is not best]
    return _paid(replace(best, warnings=(*best.warnings, doubt.warning)), others)


def _answers(chunk: Chunk, asking: Asking) -> Iterator[ChunkTranscript]:
    """What the first model that there is answers, twice, and then what the others do; the first error of the first."""
    missing: ModelNotFoundError | None = None
    has_answered = False
    for model in asking.models():
        for _ in range(1 if has_answered else 2):
            try:
                yield asking.ask(chunk, model)
            except ModelNotFoundError as error:
                missing = error
                break
            has_answered = True
    if not has_answered:
        raise missing or AssertionError  # whoever names models raises where there are none


def _paid(transcript: ChunkTranscript, others: Iterable[tuple[ChunkTranscript, "_Doubt"]]) -> ChunkTranscript:
    """The transcript, with what the others took added to its usage."""
    return replace(transcript, usage=sum((other.usage for other, _ in others), start=transcript.usage))


@dataclass(frozen=True)
class _Doubt:
    """What speaks against a text being whole: how many seconds of sound seem to have no words, and what to say of it.

    A mild one is an answer that has words: the same answer again, and it is the recording that is so.
    """

    missing_seconds: float
    warning: str
    is_mild: bool = False


def _doubt(chunk: Chunk, answer: ChunkTranscript, asking: Asking) -> _Doubt | None:
    characters = sum(not character.isspace() for character in answer.text)
    if asking.is_transcription and is_repetitive(answer.text):
        # Worse than no text at all for as long.
        return _Doubt(2 * chunk.duration_seconds, f"{_where(chunk.span)} the same words come over and over. {LISTEN}")
    if asking.is_transcription and answer.segments is not None and characters:
        return _doubt_by_times(chunk, answer.segments)
    # Most texts are long enough whatever is in the chunk, and then nobody has to listen to it.
    enough = chunk.duration_seconds * MIN_CHARACTERS_PER_SECOND if asking.is_transcription else 1
    if characters >= enough:
        return None
    speech_seconds = listen(chunk).speech_seconds
    if speech_seconds < MIN_SPEECH_SECONDS or (characters and characters >= speech_seconds * MIN_CHARACTERS_PER_SECOND):
        return None
    found = "few" if characters else "no"
    missing_seconds = speech_seconds - characters / MIN_CHARACTERS_PER_SECOND
    return _Doubt(missing_seconds, f"{_where(chunk.span)} there is sound, and {found} words were found. {LISTEN}")


def _doubt_by_times(chunk: Chunk, segments: tuple[Segment, ...]) -> _Doubt | None:
    """Whether sound goes on for long where there are no words, by the times that the API gives."""
    offset = chunk.span.start_seconds - chunk.lead_seconds
    spans = [
        Span(offset + span.start_seconds, offset + span.end_seconds)
        for span in _wordless(listen(chunk).speech, segments)
        if span.duration_seconds >= LONGEST_WORDLESS_SECONDS
    ]
    if not spans:
        return None
    where = ", ".join(f"{clock_time(span.start_seconds)} to {clock_time(span.end_seconds)}" for span in spans[:3])
    missing_seconds = sum(span.duration_seconds for span in spans)
    return _Doubt(missing_seconds, f"From {where} there is sound, and no words were found. {LISTEN}", is_mild=True)


def _wordless(speech: Iterable[Span], segments: tuple[Segment, ...]) -> Iterable[Span]:
    """The stretches of `speech` between segments, from the first sound to the last without words in between."""
    borders = [(0.0, 0.0), *((s.start_seconds, s.end_seconds) for s in segments), (float("inf"), float("inf"))]
    speech = tuple(speech)
    for (_, end), (start, _) in pairwise(borders):
        inside = [
            Span(max(end, span.start_seconds), min(start, span.end_seconds))
            for span in speech
            if span.end_seconds > end and span.start_seconds < start
        ]
        if inside:
            yield Span(inside[0].start_seconds, inside[-1].end_seconds)


def _where(span: Span) -> str:
    return f"From {clock_time(span.start_seconds)} to {clock_time(span.end_seconds)},"
