"""Transcribes one chunk until nothing suggests that its text is incomplete, or warns of what does.

What a model leaves out cannot be seen in its text alone; it shows against the sound. A chunk is transcribed again when
its text is empty or far too short for its sound, when the words stop while the sound goes on, and when the same words
come over and over; then by the next model, if the client left the model open. The result warns of what still seems
missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise

from transcriber.api.backend import ChunkTranscript
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.slicing import slice_chunk, split
from transcriber.errors import ApiError, ModelNotFoundError, TruncatedTranscriptError
from transcriber.spans import Segment, Span
from transcriber.text.joining import join_texts
from transcriber.text.repetition import is_repetitive
from transcriber.transcription.chunk_calls import ChunkCalls
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.timing import timed_segments

# A slow reader says eight letters a second, and three in scripts with a character for a syllable; a text with fewer
# than this for each second of sound cannot be complete.
MIN_CHARACTERS_PER_SECOND = 1.0
# Less sound than this may be a cough, or a door.
MIN_SPEECH_SECONDS = 0.5
# A span of sound of this length without words may be one that a model skipped: such models lose windows of 30 s.
WORDLESS_SECONDS = 10.0
# And at least this much of it is sound, where somebody speaks: the rest is pauses. In a long pause it is only the edges
# of the words before and after it, since the API's times are that inaccurate.
WORDLESS_SOUND_SECONDS = 3.0
# A shorter chunk is not split: a model that reaches its output limit there does not do so for the chunk's length.
SHORTEST_SPLIT_SECONDS = 20.0

# How often the first model transcribes a doubtful chunk; each other model does so once.
FIRST_MODEL_CALLS = 2

NO_WORDS = "there is sound, and no words were found."
FEW_WORDS = "there is sound, and few words were found."
REPETITION = "the same words come over and over."
LISTEN = "Listen to it: words may be missing."
NO_END = (
    f"In less than {SHORTEST_SPLIT_SECONDS:g} s of sound the model reached its output limit, so its transcript would "
    "be cut off. Another model may do better: name it as the model."
)


@dataclass(frozen=True)
class CompletenessIssue:
    """Why a text seems incomplete: how many seconds of sound have no words, and the warning."""

    missing_seconds: float
    warning: str


def transcribe_chunk(chunk: Chunk, calls: ChunkCalls) -> tuple[ChunkResult, ...]:
    """The results of `chunk`, one or, where it had to be split, more; the first error that prevents any of them."""
    if chunk.is_silent:
        return (ChunkResult(chunk.span, warnings=chunk.warnings, is_silent=True),)
    try:
        transcript = _most_complete(chunk, calls)
    except TruncatedTranscriptError as error:
        if not _can_be_split(chunk, error):
            raise
        return tuple(result for half in split(chunk) for result in transcribe_chunk(half, calls))
    return (
        ChunkResult(
            span=chunk.span,
            text=transcript.text,
            model=transcript.model,
            segments=timed_segments(chunk, transcript) if calls.wants_times else (),
            language=transcript.language,
            usage=transcript.usage,
            warnings=(*chunk.warnings, *transcript.warnings),
        ),
    )


def _can_be_split(chunk: Chunk, error: TruncatedTranscriptError) -> bool:
    """Whether the length may be the reason for the output limit, not the client's own limit or an endless answer."""
    return error.param is None and chunk.duration_seconds >= SHORTEST_SPLIT_SECONDS


def _most_complete(chunk: Chunk, calls: ChunkCalls) -> ChunkTranscript:
    """The first transcript without an issue, or the best of all, with a warning."""
    doubtful: list[tuple[ChunkTranscript, CompletenessIssue]] = []
    for transcript in _transcripts(chunk, calls):
        is_verbatim = calls.is_verbatim(transcript.model)
        issue = _issue(chunk, transcript, is_verbatim=is_verbatim)
        if issue is None:
            whole = _with_usage_of(transcript, doubtful)
            return _without_gaps(chunk, whole, calls) if is_verbatim else whole
        doubtful.append((transcript, issue))
    if not doubtful:
        raise TruncatedTranscriptError(NO_END)
    best, issue = min(doubtful, key=lambda each: each[1].missing_seconds)
    others = [each for each in doubtful if each[0] is not best]
    return _with_usage_of(replace(best, warnings=(*best.warnings, issue.warning)), others)


def _transcripts(chunk: Chunk, calls: ChunkCalls) -> Iterator[ChunkTranscript]:
    """Two transcripts by the first model that exists, then one by each other model; errors of the first model.

    A model that finds no end in a chunk that is too short to be split gives no transcript, and is not called again.
    """
    models = calls.models()
    missing: ModelNotFoundError | None = None
    for model in models:
        try:
            for _ in range(FIRST_MODEL_CALLS):
                yield calls.transcribe(chunk, model)
        except ModelNotFoundError as error:
            missing = error
            continue
        except TruncatedTranscriptError as error:
            if error.param is not None or _can_be_split(chunk, error):
                raise
        break
    else:
        raise missing or AssertionError  # the catalog raises where there are no models
    for model in models:
        # There is a transcript by the first model already.
        with suppress(ApiError):
            yield calls.transcribe(chunk, model)


def _with_usage_of(
    transcript: ChunkTranscript, others: Iterable[tuple[ChunkTranscript, CompletenessIssue]]
) -> ChunkTranscript:
    """The transcript, with the usage of the others added to its own."""
    return replace(transcript, usage=sum((other.usage for other, _ in others), start=transcript.usage))


def _issue(chunk: Chunk, transcript: ChunkTranscript, *, is_verbatim: bool) -> CompletenessIssue | None:
    where = chunk.span.clock_times
    if is_verbatim and is_repetitive(transcript.text):
        # Worse than no text at all for as long.
        return CompletenessIssue(2 * chunk.duration_seconds, f"{where} {REPETITION} {LISTEN}")
    characters = sum(not character.isspace() for character in transcript.text)
    # Most texts are long enough whatever is in the chunk; then its loudness is not needed.
    if characters >= (chunk.duration_seconds * MIN_CHARACTERS_PER_SECOND if is_verbatim else 1):
        return None
    speech_seconds = chunk.loudness.speech_seconds
    if speech_seconds < MIN_SPEECH_SECONDS or characters >= max(1, speech_seconds * MIN_CHARACTERS_PER_SECOND):
        return None
    missing_seconds = speech_seconds - characters / MIN_CHARACTERS_PER_SECOND
    return CompletenessIssue(missing_seconds, f"{where} {FEW_WORDS if characters else NO_WORDS} {LISTEN}")


def _without_gaps(chunk: Chunk, transcript: ChunkTranscript, calls: ChunkCalls) -> ChunkTranscript:
    """The transcript, completed by the words of each span that has sound and, by the API's own times, no words.

    Only the span is transcribed again, which costs little; a model that skipped it may transcribe it by itself: first
    with the segment before it, which may have been broken off with it, and then alone.
    """
    if transcript.segments is None:
        return transcript
    for with_segment_before in (True, False):
        for gap in _gaps(chunk, transcript):
            transcript = _filled(chunk, transcript, gap, calls, with_segment_before=with_segment_before)
    warnings = [
        f"{gap.moved(chunk.origin_seconds).clock_times} {NO_WORDS} {LISTEN}" for gap in _gaps(chunk, transcript)
    ]
    return replace(transcript, warnings=(*transcript.warnings, *warnings))


def _filled(
    chunk: Chunk, transcript: ChunkTranscript, gap: Span, calls: ChunkCalls, *, with_segment_before: bool
) -> ChunkTranscript:
    segments = transcript.segments or ()
    before = [segment for segment in segments if segment.start_seconds <= gap.start_seconds][-1:]
    replaced = before if with_segment_before else []
    start_seconds = min([gap.start_seconds, *(segment.start_seconds for segment in replaced)])
    part = slice_chunk(chunk, Span(start_seconds, gap.end_seconds))
    try:
        again = calls.transcribe(part, transcript.model)
    except ApiError:
        # The gap remains, with a warning: the words around it, which are paid for, are not given up for it.
        return transcript
    transcript = replace(transcript, usage=transcript.usage + again.usage)
    if len(again.text) <= sum(len(segment.text) for segment in replaced) or is_repetitive(again.text):
        return transcript
    offset = part.origin_seconds - chunk.origin_seconds
    found = again.segments or (Segment(0.0, part.duration_seconds, again.text),)
    moved = [
        replace(each, start_seconds=offset + each.start_seconds, end_seconds=offset + each.end_seconds)
        for each in found
    ]
    merged = sorted(
        [*(segment for segment in segments if segment not in replaced), *moved],
        key=lambda segment: segment.start_seconds,
    )
    return replace(transcript, text=join_texts(segment.text for segment in merged), segments=tuple(merged))


def _gaps(chunk: Chunk, transcript: ChunkTranscript) -> tuple[Span, ...]:
    """The spans of the chunk, in seconds from its first byte, that have sound and no words for long."""
    wordless = _wordless(chunk.loudness.speech, transcript.segments or ())
    return tuple(
        gap
        for gap, sound_seconds in wordless
        if gap.duration_seconds >= WORDLESS_SECONDS and sound_seconds >= WORDLESS_SOUND_SECONDS
    )


def _wordless(speech: Sequence[Span], segments: Sequence[Segment]) -> Iterator[tuple[Span, float]]:
    """Each span between two segments from its first to its last speech, and the seconds of speech in it."""
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
