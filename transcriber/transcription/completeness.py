"""Transcribes one chunk until nothing suggests that its text is incomplete, or warns of what does.

What a model leaves out cannot be seen in its text alone; it shows against the sound (`issues`, `gaps`). A chunk in
doubt is transcribed again, without the prompt if it had one; then in halves; then by the next model, if the client left
the model open. The result warns of what still seems missing.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from transcriber.api.backend import NO_USAGE, ChunkTranscript
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.slicing import split
from transcriber.errors import ApiError, ModelNotFoundError, TruncatedTranscriptError
from transcriber.text.joining import join_texts
from transcriber.transcription.chunk_calls import ChunkCalls
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.gaps import fill_gaps, find_gaps
from transcriber.transcription.invented import invented_warnings
from transcriber.transcription.issues import LISTEN, NO_WORDS, CompletenessIssue, find_issue, is_dispelled
from transcriber.transcription.pace import Paced
from transcriber.transcription.timing import timed_segments

# A shorter chunk is not split: a model that reaches its output limit there does not do so for the chunk's length.
SHORTEST_SPLIT_SECONDS = 20.0
# A shorter chunk in doubt is not transcribed in halves, which would be too short for the words' context.
SHORTEST_HALVED_SECONDS = 40.0
# Gaps that hold this share of what is missing are all of it, as far as letters for each second can show.
COVERED_SHARE = 0.8

NO_END = (
    f"In less than {SHORTEST_SPLIT_SECONDS:g} s of sound the model reached its output limit, so its transcript would "
    "be cut off. Another model may do better: name it as the model."
)


def transcribe_chunk(chunk: Chunk, calls: ChunkCalls) -> tuple[ChunkResult, ...]:
    """The results of `chunk`, one or, where it had to be split, more; the first error that prevents any of them."""
    if chunk.is_silent:
        return (ChunkResult(chunk.span, warnings=chunk.warnings, is_silent=True),)
    try:
        transcript, is_doubtful = _most_complete(chunk, calls)
    except TruncatedTranscriptError as error:
        if not _can_be_split(chunk, error):
            raise
        return tuple(result for half in split(chunk) for result in transcribe_chunk(half, calls))
    sound_seconds = None
    warnings = (*chunk.warnings, *transcript.warnings)
    if chunk.has_loudness and calls.is_verbatim(transcript.model):
        warnings += invented_warnings(chunk, transcript)
        sound_seconds = chunk.loudness.speech_seconds
        if not is_doubtful:
            calls.pace.add(Paced(chunk.span, transcript.text, sound_seconds, chunk.loudness.phrases))
    return (
        ChunkResult(
            span=chunk.span,
            text=transcript.text,
            model=transcript.model,
            segments=timed_segments(chunk, transcript) if calls.wants_times else (),
            language=transcript.language,
            usage=transcript.usage,
            warnings=warnings,
            sound_seconds=sound_seconds,
            is_doubtful=is_doubtful,
        ),
    )


def _can_be_split(chunk: Chunk, error: TruncatedTranscriptError) -> bool:
    """Whether the length may be the reason for the output limit, not the client's own limit or an endless answer."""
    return error.param is None and chunk.duration_seconds >= SHORTEST_SPLIT_SECONDS


def _most_complete(chunk: Chunk, calls: ChunkCalls) -> tuple[ChunkTranscript, bool]:
    """The first transcript without an issue, or the best of all, with a warning; and whether it is in doubt."""
    doubtful: list[tuple[ChunkTranscript, CompletenessIssue]] = []
    usage = NO_USAGE
    for transcript, has_prompt in _transcripts(chunk, calls):
        is_verbatim = calls.is_verbatim(transcript.model)
        issue = find_issue(chunk, transcript, calls.pace, is_verbatim=is_verbatim)
        filled = transcript
        if is_verbatim and has_prompt:
            issue = issue or _gaps_as_issue(chunk, transcript)
        elif is_verbatim and (issue is None or issue.is_too_few):
            filled = fill_gaps(chunk, transcript, calls)
            issue = issue and find_issue(chunk, filled, calls.pace, is_verbatim=True)
        usage += filled.usage
        if issue is None and doubtful and not is_dispelled(doubtful[0][1], doubtful[0][0].text, filled.text):
            issue = doubtful[0][1]
        if issue is None:
            if doubtful and not has_prompt and calls.prompts(filled.model) and doubtful[0][0].model == filled.model:
                calls.catalog.mark_prompt_harmful(filled.model, calls.context)
            return replace(filled, usage=usage), False
        doubtful.append((filled, issue))
    if not doubtful:
        raise TruncatedTranscriptError(NO_END)
    best, issue = min(doubtful, key=lambda each: each[1].missing_seconds)
    warnings = best.warnings if _gaps_say_it(chunk, best, issue) else (*best.warnings, issue.warning)
    return replace(best, usage=usage, warnings=warnings), True


def _gaps_say_it(chunk: Chunk, transcript: ChunkTranscript, issue: CompletenessIssue) -> bool:
    """Whether the warnings of the gaps cover what seems to be missing, so that another one would repeat them."""
    gap_seconds = sum(gap.duration_seconds for gap in find_gaps(chunk, transcript))
    return issue.is_too_few and bool(transcript.warnings) and gap_seconds >= COVERED_SHARE * issue.missing_seconds


def _gaps_as_issue(chunk: Chunk, transcript: ChunkTranscript) -> CompletenessIssue | None:
    """The gaps of an answer with a prompt: without it, there may be none, and all of it is transcribed again."""
    gaps = find_gaps(chunk, transcript)
    if not gaps:
        return None
    warning = f"{gaps[0].moved(chunk.origin_seconds).clock_times} {NO_WORDS} {LISTEN}"
    return CompletenessIssue(sum(gap.duration_seconds for gap in gaps), warning, is_too_few=True)


def _transcripts(chunk: Chunk, calls: ChunkCalls) -> Iterator[tuple[ChunkTranscript, bool]]:
    """Transcripts of the first model that exists, then one by each other model; and whether each had a prompt.

    The first model transcribes the chunk twice, the second time without a prompt, and then its halves. A model that
    finds no end in a chunk that is too short to be split gives no transcript, and is not called again. Errors of the
    first model are raised.
    """
    models = calls.models()
    missing: ModelNotFoundError | None = None
    for model in models:
        try:
            has_prompt = calls.prompts(model)
            yield calls.transcribe(chunk, model), has_prompt
            yield calls.transcribe(chunk, model, with_prompt=False), False
        except ModelNotFoundError as error:
            missing = error
            continue
        except TruncatedTranscriptError as error:
            if error.param is not None or _can_be_split(chunk, error):
                raise
        else:
            if chunk.duration_seconds >= SHORTEST_HALVED_SECONDS:
                halves = None
                with suppress(ApiError):
                    halves = _in_halves(chunk, calls, model)
                if halves is not None:
                    yield halves, False
        break
    else:
        raise missing or AssertionError  # the catalog raises where there are no models
    for model in models:
        # There is a transcript by the first model already.
        with suppress(ApiError):
            yield calls.transcribe(chunk, model), calls.prompts(model)


def _in_halves(chunk: Chunk, calls: ChunkCalls, model: str) -> ChunkTranscript:
    """The transcripts of the chunk's halves as one."""
    parts = [(half, calls.transcribe(half, model, with_prompt=False)) for half in split(chunk) if not half.is_silent]
    segments = []
    for half, part in parts:
        offset = half.origin_seconds - chunk.origin_seconds
        segments += [
            replace(each, start_seconds=offset + each.start_seconds, end_seconds=offset + each.end_seconds)
            for each in part.segments or ()
        ]
    return ChunkTranscript(
        text=join_texts(part.text for _, part in parts),
        model=model,
        warnings=tuple(dict.fromkeys(warning for _, part in parts for warning in part.warnings)),
        segments=None if any(part.segments is None for _, part in parts) else tuple(segments),
        language=next((part.language for _, part in parts if part.language), None),
        usage=sum((part.usage for _, part in parts), start=NO_USAGE),
    )
