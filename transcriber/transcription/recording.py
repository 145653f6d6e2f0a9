"""Transcribes a recording: identify it, cut it, transcribe its chunks in parallel, join the results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from transcriber.api.backend import ApiClient, Backend, CallContext
from transcriber.api.call_counts import CallCounts
from transcriber.api.models import ModelCatalog
from transcriber.audio.identify import identify
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.errors import ApiTimeoutError
from transcriber.request.options import TranscriptionOptions
from transcriber.request_scope import RequestScope
from transcriber.settings import ApiKind, Settings
from transcriber.sources.base import Source
from transcriber.spans import Span
from transcriber.transcription.chunk_calls import ChunkCalls
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.completeness import transcribe_chunk
from transcriber.transcription.estimate import cost_of
from transcriber.transcription.parallel import map_parallel
from transcriber.transcription.partial import PartialRun
from transcriber.transcription.resuming import ChunkOutcome, ChunkStore, ResumableRun
from transcriber.transcription.transcript import SECONDS_DECIMALS, Heading, Transcript, join

T = TypeVar("T")

# Eight hours in chunks of five minutes; a line of the log stays short.
MAX_SPANS_LOGGED = 100


@dataclass(frozen=True)
class Transcriber:
    """What an instance transcribes recordings with; chunks in flight may occupy `max_memory_bytes`."""

    settings: Settings
    api: ApiClient
    catalog: ModelCatalog
    backends: Mapping[ApiKind, Backend]
    max_memory_bytes: int

    def transcribe(
        self, source: Source, options: TranscriptionOptions, scope: RequestScope, store: ChunkStore | None = None
    ) -> Transcript:
        """The transcript of the recording in `source`; the first error of any part of it.

        With a `store`, chunks that are done are passed over, and one that fails does not end the others:
        `UnfinishedError` where chunks are missing in the end.
        """
        report, settings = scope.report, self.settings
        calls = self._calls(options, scope)
        with _reporting(source, scope, calls.context.counts):
            with report.phase("prepare"):
                audio = identify(source, max_seconds=settings.max_audio_seconds, track=options.track)
            cut_options = CutOptions(
                limits=ChunkLimits(settings.chunk_seconds),
                max_seconds=settings.max_audio_seconds,
                deadline=scope.deadline,
                keep_loudness=options.wants_times,
            )
            headings: list[Heading] = []
            with report.phase("api"), audio.source, closing(cut(audio, cut_options)) as cuts:
                chunks = _noting_headings(cuts, headings)
                if store is None and options.allow_partial:
                    results = self._transcribe_some(chunks, calls, audio.duration_seconds)
                elif store is None:
                    results = self._transcribe_chunks(chunks, calls)
                else:
                    results = self._resume(chunks, calls, store, audio.duration_seconds)
            transcript = join(
                results, model=options.model or settings.models[0], language=options.language, headings=headings
            )
            report.add(**_log_fields(transcript, settings))
        return transcript

    def _transcribe_chunks(self, chunks: Iterator[Chunk], calls: ChunkCalls) -> Sequence[ChunkResult]:
        """The results of all chunks, in order; the first chunk that cannot be transcribed ends the others."""
        results = self._map(_in_time(chunks, calls.context.deadline), partial(transcribe_chunk, calls=calls), calls)
        return [result for several in results for result in several]

    def _transcribe_some(
        self, chunks: Iterator[Chunk], calls: ChunkCalls, duration_seconds: float | None
    ) -> Sequence[ChunkResult]:
        """The results of all chunks, in order; those that cannot be transcribed are gaps."""
        run = PartialRun(
            partial(transcribe_chunk, calls=calls), deadline=calls.context.deadline, duration_seconds=duration_seconds
        )
        return run.results(self._map(run.in_time(chunks), run.work, calls))

    def _resume(
        self, chunks: Iterator[Chunk], calls: ChunkCalls, store: ChunkStore, duration_seconds: float | None
    ) -> Sequence[ChunkResult]:
        """The results of all chunks, in order; `UnfinishedError` where some are missing."""
        if duration_seconds is not None:
            store.expect(duration_seconds)
        run = ResumableRun(
            chunks,
            store,
            deadline=calls.context.deadline,
            transcribe=partial(transcribe_chunk, calls=calls),
            expected_seconds=self.api.expected_seconds,
        )

        def work(chunk: Chunk) -> ChunkOutcome:
            outcome = run.work(chunk)
            # What an earlier run has kept is part of the recording's pace, too.
            calls.pace.add_results(outcome.results)
            return outcome

        return run.results(self._map(run.chunks(), work, calls), duration_seconds=duration_seconds)

    def _calls(self, options: TranscriptionOptions, scope: RequestScope) -> ChunkCalls:
        return ChunkCalls(
            settings=self.settings,
            api=self.api,
            catalog=self.catalog,
            backends=self.backends,
            options=options,
            context=CallContext(
                scope.deadline,
                log=scope.log,
                is_interactive=scope.is_interactive,
                traceparent=scope.traceparent,
            ),
        )

    def _map(self, chunks: Iterator[Chunk], work: Callable[[Chunk], T], calls: ChunkCalls) -> list[T]:
        return map_parallel(
            chunks,
            work,
            parallel=self.settings.parallel_calls,
            cancellation=calls.context.cancellation,
            max_memory_bytes=self.max_memory_bytes,
        )


@contextmanager
def _reporting(source: Source, scope: RequestScope, counts: CallCounts) -> Iterator[None]:
    """Report how much of `source` was read in the block, and what its calls came to, also when it fails."""
    try:
        yield
    finally:
        scope.report.add_source(
            kind=source.kind,
            size_bytes=source.bytes_read if source.size_bytes is None else source.size_bytes,
            transfer_seconds=source.transfer_seconds,
        )
        scope.report.add(**counts.log_fields)


def _noting_headings(chunks: Iterator[Chunk], headings: list[Heading]) -> Iterator[Chunk]:
    for chunk in chunks:
        if chunk.heading:
            headings.append(Heading(chunk.span.start_seconds, chunk.heading))
        yield chunk


def _in_time(chunks: Iterator[Chunk], deadline: Deadline) -> Iterator[Chunk]:
    for chunk in chunks:
        if deadline.has_passed():
            raise ApiTimeoutError(f"The recording takes longer than {deadline.limit}.")
        yield chunk


def _log_fields(transcript: Transcript, settings: Settings) -> dict[str, object]:
    """The log fields of a transcript: none of its words, and its cost where PRICES has the price of its model."""
    return {
        "model": transcript.model,
        "seconds": round(transcript.duration_seconds, SECONDS_DECIMALS),
        "calls": transcript.usage.calls,
        "tokens": transcript.usage.prompt_tokens + transcript.usage.completion_tokens or None,
        "cost": cost_of(transcript.model, transcript.usage.audio_seconds, settings),
        "chunks": _rounded(transcript.chunks),
        "not_sent": _rounded(transcript.silent_spans),
        **({"missing": _rounded(transcript.missing)} if transcript.missing else {}),
        "warnings": len(transcript.warnings),
    }


def _rounded(spans: Sequence[Span]) -> list[list[float]]:
    return [[round(span.start_seconds, 1), round(span.end_seconds, 1)] for span in spans[:MAX_SPANS_LOGGED]]
