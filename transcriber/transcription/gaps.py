"""Finds and fills the spans of a chunk that have sound and, by the API's own times, no words."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from math import sqrt
from statistics import median

from transcriber.api.backend import ChunkTranscript
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.slicing import slice_chunk
from transcriber.errors import ApiError
from transcriber.spans import Segment, Span
from transcriber.text.joining import join_texts
from transcriber.text.letters import count_letters
from transcriber.text.repetition import is_repetitive
from transcriber.transcription.chunk_calls import ChunkCalls
from transcriber.transcription.issues import LISTEN, NO_WORDS
from transcriber.transcription.pace import SENTENCE_DEVIATION, SENTENCE_SECONDS

# A span of sound of this length without words may be one that a model skipped. The API's times are right to a second or
# two, so that ten seconds of lost words show as eight and more.
WORDLESS_SECONDS = 8.0
# And at least this much of it is sound, where somebody speaks: the rest is pauses. In a long pause it is only the edges
# of the words before and after it, since the API's times are that inaccurate.
WORDLESS_SOUND_SECONDS = 3.0
# A segment whose sound has fewer letters a second than this has a gap within: some models stretch the segment before a
# gap to its end.
MIN_SEGMENT_LETTERS_PER_SECOND = 3.0
# And one that lasts longer than its letters by this, at the pace of the others, and by this many deviations.
STRETCHED_SECONDS = 5.0
STRETCHED_DEVIATIONS = 4.5
# Fewer segments, and shorter ones, say little about a pace.
MIN_PACED_SEGMENTS = 5
MIN_PACED_SECONDS = 2.0


def fill_gaps(chunk: Chunk, transcript: ChunkTranscript, calls: ChunkCalls) -> ChunkTranscript:
    """The transcript, completed by the words of each gap; what remains is a warning with its times.

    Only the span is transcribed again, which costs little; a model that skipped it may transcribe it by itself: first
    with the segment before it, which may have been broken off with it, and then alone.
    """
    for with_segment_before in (True, False):
        for gap in find_gaps(chunk, transcript):
            transcript = _filled(chunk, transcript, gap, calls, with_segment_before=with_segment_before)
    warnings = [
        f"{gap.moved(chunk.origin_seconds).clock_times} {NO_WORDS} {LISTEN}" for gap in find_gaps(chunk, transcript)
    ]
    return replace(transcript, warnings=(*transcript.warnings, *warnings))


def find_gaps(chunk: Chunk, transcript: ChunkTranscript) -> tuple[Span, ...]:
    """The spans of the chunk, in seconds from its first byte, that have sound and no words for long."""
    segments = transcript.segments
    if segments is None or (not chunk.has_loudness and not _may_have_gaps(segments, chunk.duration_seconds)):
        return ()
    speech = chunk.loudness.speech
    sound_seconds = [_sound_seconds(each, speech) for each in segments]
    pace = _usual_pace(segments, sound_seconds)
    whole = [each for each, seconds in zip(segments, sound_seconds, strict=True) if not _is_sparse(each, seconds, pace)]
    return tuple(
        gap
        for gap, seconds in _wordless(speech, whole)
        if gap.duration_seconds >= WORDLESS_SECONDS and seconds >= WORDLESS_SOUND_SECONDS
    )


def _may_have_gaps(segments: Sequence[Segment], duration_seconds: float) -> bool:
    """Whether there is time for one, so that it is worth reading the recording's source again for its sound."""
    borders = [(0.0, 0.0), *((s.start_seconds, s.end_seconds) for s in segments), (duration_seconds, duration_seconds)]
    return any(start - end >= WORDLESS_SECONDS for (_, end), (start, _) in pairwise(borders)) or any(
        count_letters(segment.text) < MIN_SEGMENT_LETTERS_PER_SECOND * (segment.end_seconds - segment.start_seconds)
        for segment in segments
        if segment.end_seconds - segment.start_seconds >= WORDLESS_SECONDS
    )


def _sound_seconds(segment: Segment, speech: Sequence[Span]) -> float:
    first = bisect_left(speech, segment.start_seconds, key=lambda span: span.end_seconds)
    return sum(
        max(0.0, min(span.end_seconds, segment.end_seconds) - max(span.start_seconds, segment.start_seconds))
        for span in takewhile(lambda span: span.start_seconds < segment.end_seconds, speech[first:])
    )


def _usual_pace(segments: Sequence[Segment], sound_seconds: Sequence[float]) -> float | None:
    """The letters a second of most segments; None where there are too few to say."""
    paces = [
        count_letters(segment.text) / seconds
        for segment, seconds in zip(segments, sound_seconds, strict=True)
        if seconds >= MIN_PACED_SECONDS
    ]
    return median(paces) if len(paces) >= MIN_PACED_SEGMENTS else None


def _is_sparse(segment: Segment, sound_seconds: float, pace: float | None) -> bool:
    """Whether the segment has far fewer words than its sound: it has a gap within."""
    if segment.end_seconds - segment.start_seconds < WORDLESS_SECONDS or sound_seconds < WORDLESS_SECONDS:
        return False
    letters = count_letters(segment.text)
    if letters < MIN_SEGMENT_LETTERS_PER_SECOND * sound_seconds:
        return True
    if not pace:
        return False
    likely_seconds = letters / pace
    deviation = SENTENCE_DEVIATION * sqrt(likely_seconds * min(likely_seconds, SENTENCE_SECONDS))
    return sound_seconds - likely_seconds >= max(STRETCHED_SECONDS, STRETCHED_DEVIATIONS * deviation)


def _filled(
    chunk: Chunk, transcript: ChunkTranscript, gap: Span, calls: ChunkCalls, *, with_segment_before: bool
) -> ChunkTranscript:
    segments = transcript.segments or ()
    within = [each for each in segments if _is_within(each, gap)]
    before = [segment for segment in segments if segment.start_seconds <= gap.start_seconds][-1:]
    wanted_before = [each for each in before if with_segment_before and each not in within]
    replaced = [*wanted_before, *within]
    start_seconds = min([gap.start_seconds, *(segment.start_seconds for segment in replaced)])
    part = slice_chunk(chunk, Span(start_seconds, gap.end_seconds))
    try:
        again = calls.transcribe(part, transcript.model, with_prompt=False)
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


def _is_within(segment: Segment, gap: Span) -> bool:
    """Whether the words of the segment are said in the gap; one that is stretched over the gap begins before it."""
    if gap.start_seconds <= segment.start_seconds < gap.end_seconds:
        return True
    shared_seconds = min(segment.end_seconds, gap.end_seconds) - max(segment.start_seconds, gap.start_seconds)
    return shared_seconds > (segment.end_seconds - segment.start_seconds) / 2


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
