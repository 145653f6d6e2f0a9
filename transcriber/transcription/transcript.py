"""The transcript of a whole recording, joined from the results of its chunks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from transcriber.api.backend import NO_USAGE, Usage
from transcriber.spans import Segment, Span, clock_time
from transcriber.text.joining import join_and_divide
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.last_look import last_look

# Milliseconds are all that a reader can use of a duration, and what the shortest frame's length requires.
SECONDS_DECIMALS = 3
# What stands for the words of a gap, in every format.
GAP_MARK: Final = "[…]"
# Between a heading and the words under it.
PARAGRAPH: Final = "\n\n"


@dataclass(frozen=True)
class Transcript:
    """The words of a recording.

    `segments` are there where they were requested; `chunks` are the spans that were sent to the API, and `silent_spans`
    those without sound. `missing` are the gaps of a partial transcript: `GAP_MARK` stands for their words.
    `text_ends` are the places in `text` where that of each chunk ends, where they are known.
    """

    text: str
    model: str
    duration_seconds: float
    warnings: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    usage: Usage = NO_USAGE
    chunks: tuple[Span, ...] = ()
    silent_spans: tuple[Span, ...] = ()
    missing: tuple[Span, ...] = ()
    text_ends: tuple[int, ...] = ()

    @property
    def text_of_chunks(self) -> tuple[str, ...]:
        """The text, divided where one chunk ends and the next begins; what is empty is left out."""
        places = sorted({0, *(end for end in self.text_ends if 0 < end < len(self.text)), len(self.text)})
        return tuple(self.text[start:end] for start, end in pairwise(places))


@dataclass(frozen=True)
class Heading:
    """What stands before the words of a track, and when it begins."""

    start_seconds: float
    text: str


def join(
    results: Sequence[ChunkResult], *, model: str, language: str | None, headings: Sequence[Heading] = ()
) -> Transcript:
    """The transcript of the recording with these `results`, in order, each track under its heading.

    `model` and `language` are those of a recording without sound, and of one whose language the API does not state.
    """
    results = _with_gaps_joined(results)
    gaps = [result for result in results if result.missing_reason is not None]
    sent = [result for result in results if not result.is_silent and result.missing_reason is None]
    models = [each for each, _ in Counter(result.model for result in sent).most_common()]
    languages = Counter(result.language for result in sent if result.language is not None)
    warnings = [
        *_other_models(sent, models[1:]),
        *(f"{_times(gap.span)} nothing could be transcribed: {gap.missing_reason}" for gap in gaps),
        *(warning for result in results for warning in result.warnings),
        *last_look(sent),
    ]
    text, text_ends = _text(results, headings)
    return Transcript(
        text=text,
        model=models[0] if models else model,
        duration_seconds=max((result.span.end_seconds for result in results), default=0.0),
        warnings=tuple(dict.fromkeys(warnings)),
        segments=_segments(results, headings),
        language=languages.most_common(1)[0][0] if languages else language,
        usage=sum((result.usage for result in results), start=NO_USAGE),
        chunks=tuple(result.span for result in sent),
        silent_spans=tuple(result.span for result in results if result.is_silent),
        text_ends=text_ends,
        missing=tuple(gap.span for gap in gaps),
    )


def _text(results: Sequence[ChunkResult], headings: Sequence[Heading]) -> tuple[str, tuple[int, ...]]:
    """The text of all results, and where that of each ends."""
    if not headings:
        return join_and_divide(result.text for result in results)
    text, ends = "", list[int]()
    for heading, tracks_results in _by_heading(results, headings):
        text += f"{'' if not text else PARAGRAPH}{heading.text}{PARAGRAPH}"
        words, own_ends = join_and_divide(result.text for result in tracks_results)
        ends += [len(text) + end for end in own_ends]
        text += words
    return text.rstrip(), tuple(ends)


def _segments(results: Sequence[ChunkResult], headings: Sequence[Heading]) -> tuple[Segment, ...]:
    """The segments of all results; the first one of each track begins with its heading."""
    if not headings:
        return tuple(segment for result in results for segment in result.segments)
    found: list[Segment] = []
    for heading, tracks_results in _by_heading(results, headings):
        own = [segment for result in tracks_results for segment in result.segments]
        found += [replace(each, text=f"{heading.text} {each.text}") for each in own[:1]] + own[1:]
    return tuple(found)


def _by_heading(
    results: Sequence[ChunkResult], headings: Sequence[Heading]
) -> list[tuple[Heading, Sequence[ChunkResult]]]:
    """Each heading with the results under it."""
    starts = [*(heading.start_seconds for heading in headings[1:]), float("inf")]
    found, position = list[tuple[Heading, Sequence[ChunkResult]]](), 0
    for heading, end in zip(headings, starts, strict=True):
        first = position
        while position < len(results) and results[position].span.start_seconds < end:
            position += 1
        found.append((heading, results[first:position]))
    return found


def _with_gaps_joined(results: Sequence[ChunkResult]) -> list[ChunkResult]:
    """The results, of which those that are missing one after the other are one gap with its mark."""
    joined: list[ChunkResult] = []
    for result in results:
        if result.missing_reason is None:
            joined.append(result)
            continue
        gap = result
        if joined and joined[-1].missing_reason is not None:
            before = joined.pop()
            span = Span(before.span.start_seconds, result.span.end_seconds)
            gap = replace(before, span=span, warnings=(*before.warnings, *result.warnings))
        mark = Segment(gap.span.start_seconds, gap.span.end_seconds, GAP_MARK)
        joined.append(replace(gap, text=GAP_MARK, segments=(mark,)))
    return joined


def _times(gap: Span) -> str:
    """The times of a gap in the words of a message; its end may not be known."""
    is_known = gap.end_seconds > gap.start_seconds
    return gap.clock_times if is_known else f"From {clock_time(gap.start_seconds)} to the end"


def _other_models(sent: Sequence[ChunkResult], models: Sequence[str]) -> list[str]:
    """A warning for each model that transcribed less than the main one."""
    counts = Counter(result.model for result in sent)
    return [f"{counts[model]} of {len(sent)} parts were transcribed by {model}." for model in models]
