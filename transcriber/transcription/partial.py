"""Transcripts with gaps: a chunk that cannot be transcribed is one where the client allows it, and never otherwise.

What is about the chunk, or passes, makes a gap once the retries are over. What every other chunk would meet (the
account, the model, an option of the client's) stays an error, and so does a recording of which nothing is transcribed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiError, ApiTimeoutError, Cause, SourceTimeoutError, TranscriberError
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.transcript import Transcript, join

OF_ONE_CHUNK: Final = frozenset({Cause.RECORDING, Cause.PASSING})


def may_be_gap(error: TranscriberError) -> bool:
    """Whether the error ends no other chunk than its own."""
    return isinstance(error, ApiError) and error.cause in OF_ONE_CHUNK


class PartialRun:
    """One run over a recording whose chunks may become gaps, also all those for which there is no time.

    `duration_seconds` None means that the recording's length is not known: then it has to be read to its end.
    """

    def __init__(
        self,
        transcribe: Callable[[Chunk], Sequence[ChunkResult]],
        *,
        deadline: Deadline,
        duration_seconds: float | None,
    ) -> None:
        self._transcribe = transcribe
        self._deadline = deadline
        self._duration_seconds = duration_seconds
        self._reached = 0.0
        self._first_error: TranscriberError | None = None
        self._rest: ChunkResult | None = None

    def in_time(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks, as long as there is time; the rest is a gap."""
        try:
            for chunk in chunks:
                self._check_time()
                self._reached = chunk.span.end_seconds
                yield chunk
        except (ApiTimeoutError, SourceTimeoutError) as error:
            if self._duration_seconds is None or not self._deadline.has_passed():
                raise
            self._note(error)
            self._rest = _gap(Span(self._reached, max(self._reached, self._duration_seconds)), error.message)

    def work(self, chunk: Chunk) -> Sequence[ChunkResult]:
        """What came of the chunk: its text, or a gap."""
        try:
            return self._transcribe(chunk)
        except TranscriberError as error:
            if not may_be_gap(error):
                raise
            self._note(error)
            return (_gap(chunk.span, error.message, chunk.warnings),)

    def results(self, several: Sequence[Sequence[ChunkResult]]) -> Sequence[ChunkResult]:
        """The results of the whole recording; the first error where nothing of it is transcribed."""
        results = [result for each in several for result in each]
        if self._first_error is not None and not has_words(results):
            raise self._first_error
        return results if self._rest is None else [*results, self._rest]

    def _check_time(self) -> None:
        if self._deadline.has_passed():
            raise ApiTimeoutError(f"The recording takes longer than {self._deadline.limit}.")

    def _note(self, error: TranscriberError) -> None:
        self._first_error = self._first_error or error


def has_words(results: Sequence[ChunkResult]) -> bool:
    """Whether anything was transcribed: silence is known without the API."""
    return any(not result.is_silent and result.missing_reason is None for result in results)


def join_partial(
    results: Sequence[ChunkResult], missing: Sequence[Span], reason: str, *, model: str, language: str | None
) -> Transcript | None:
    """The transcript of `results` with gaps at `missing`; None where nothing was transcribed.

    A gap whose end is not known ends where it begins, or lasts for ever.
    """
    if not has_words(results):
        return None
    gaps = [_gap(_with_end(span), reason) for span in missing]
    ordered = sorted((*results, *gaps), key=lambda result: (result.span.start_seconds, result.span.end_seconds))
    return join(ordered, model=model, language=language)


def _with_end(span: Span) -> Span:
    return span if span.end_seconds < float("inf") else Span(span.start_seconds, span.start_seconds)


def _gap(span: Span, reason: str, warnings: tuple[str, ...] = ()) -> ChunkResult:
    return ChunkResult(span, warnings=warnings, missing_reason=reason)
