"""Transcribes a recording in several runs: what is done is passed over, and a chunk that fails ends no other.

A run stops starting chunks when the time that is left does not hold another one, and when something is wrong that every
other chunk would meet; it finishes those in flight. What is missing then is in `UnfinishedError`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final, Protocol

from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import Cause, IncompleteError, TranscriberError
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult

# Where less than this was read in the time of a run, no estimate of the rest is worth a figure.
LEAST_SHARE_READ = 0.05
# Errors that the next chunk would meet as well.
_OF_EVERY_CHUNK: Final = frozenset({Cause.ACCOUNT, Cause.REQUEST})


class ChunkStore(Protocol):
    """Where results of chunks are kept; used by several threads at once."""

    def has(self, span: Span) -> bool:
        """Whether the chunk is done, or refused for good."""

    def load(self, span: Span) -> Sequence[ChunkResult] | None:
        """What came of the chunk; None where that is not there any more. The API's error for one that was refused."""

    def keep(self, span: Span, results: Sequence[ChunkResult]) -> Sequence[ChunkResult]:
        """Write what came of the chunk, and return it; or what another run has written before."""

    def keep_refusal(self, span: Span, error: TranscriberError) -> None:
        """Write that the API refuses the chunk for good."""

    def expect(self, duration_seconds: float) -> None:
        """Take note of the recording's length, as soon as it is known."""


class UnfinishedError(Exception):
    """A run ended, and chunks are missing: which, as far as the run came, and why.

    `duration_seconds` None means that the recording's length is not known. `needed_seconds` is the time that this run
    would have needed for its first missing chunk; it `is_out_of_time` where it had less. `results` are those of the
    other chunks.
    """

    def __init__(
        self,
        error: TranscriberError,
        missing: Sequence[Span],
        *,
        done_seconds: float,
        duration_seconds: float | None,
        needed_seconds: float,
        is_out_of_time: bool,
        results: Sequence[ChunkResult] = (),
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.missing = tuple(missing)
        self.done_seconds = done_seconds
        self.duration_seconds = duration_seconds
        self.needed_seconds = needed_seconds
        self.is_out_of_time = is_out_of_time
        self.results = tuple(results)


@dataclass(frozen=True)
class ChunkOutcome:
    """What came of a chunk: results, or an error."""

    span: Span
    results: Sequence[ChunkResult] = ()
    error: TranscriberError | None = None


class ResumableRun:
    """One run over the chunks of a recording; `expected_seconds` says how long a call for some audio takes."""

    def __init__(
        self,
        chunks: Iterator[Chunk],
        store: ChunkStore,
        *,
        deadline: Deadline,
        transcribe: Callable[[Chunk], Sequence[ChunkResult]],
        expected_seconds: Callable[[float], float],
    ) -> None:
        self._chunks = chunks
        self._store = store
        self._deadline = deadline
        self._transcribe = transcribe
        self._expected_seconds = expected_seconds
        self._stop = Event()
        self._started = time.monotonic()
        self._is_first = True
        self._reached = 0.0
        self._end: TranscriberError | None = None
        self._first_missing: tuple[Span, float] | None = None

    def chunks(self) -> Iterator[Chunk]:
        """The chunks to work on, as long as there is time; an error in reading them ends them."""
        try:
            for chunk in self._chunks:
                self._reached = chunk.span.end_seconds
                if not self._store.has(chunk.span):
                    self._note_missing(chunk.span)
                    if self._stop.is_set() or not self._has_time_for(chunk):
                        self._end = self._end or IncompleteError(f"The recording takes longer than {self._limit}.")
                        return
                    self._is_first = False
                yield chunk
            self._store.expect(self._reached)
        except TranscriberError as error:
            self._end = error

    def work(self, chunk: Chunk) -> ChunkOutcome:
        """What came of the chunk, now or before."""
        span = chunk.span
        try:
            if self._store.has(span) and (results := self._store.load(span)) is not None:
                return ChunkOutcome(span, results)
            if self._stop.is_set():
                return ChunkOutcome(span, error=IncompleteError("The run ended before it came to this."))
            return ChunkOutcome(span, self._store.keep(span, self._transcribe(chunk)))
        except TranscriberError as error:
            if error.cause in _OF_EVERY_CHUNK:
                self._stop.set()
            elif error.cause is Cause.RECORDING and not error.is_retryable:
                self._store.keep_refusal(span, error)
            return ChunkOutcome(span, error=error)

    def results(self, outcomes: Sequence[ChunkOutcome], *, duration_seconds: float | None) -> Sequence[ChunkResult]:
        """The results of the whole recording; `UnfinishedError` where chunks are missing."""
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        if self._end is None and not failed:
            return [result for outcome in outcomes for result in outcome.results]
        missing = [outcome.span for outcome in failed]
        if self._end is not None:
            # From where the run stopped to the end, which may not be known.
            done_to = max((outcome.span.end_seconds for outcome in outcomes), default=0.0)
            missing.append(Span(done_to, max(done_to, duration_seconds or done_to)))
        raise UnfinishedError(
            self._reason([outcome.error for outcome in failed if outcome.error is not None]),
            _joined(missing),
            done_seconds=sum(outcome.span.duration_seconds for outcome in outcomes if outcome.error is None),
            duration_seconds=duration_seconds,
            needed_seconds=self._needed_seconds(duration_seconds),
            is_out_of_time=self._deadline.has_passed() or isinstance(self._end, IncompleteError),
            results=[result for outcome in outcomes for result in outcome.results],
        )

    @property
    def _limit(self) -> str:
        return self._deadline.limit

    def _has_time_for(self, chunk: Chunk) -> bool:
        """Whether a call for it fits; the first is tried whatever is left, so that each run adds something."""
        left_seconds = self._deadline.remaining_seconds()
        return left_seconds > 0 and (self._is_first or left_seconds >= self._expected_seconds(chunk.duration_seconds))

    def _note_missing(self, span: Span) -> None:
        if self._first_missing is None:
            self._first_missing = (span, time.monotonic() - self._started)

    def _needed_seconds(self, duration_seconds: float | None) -> float:
        """What a run needs to read up to the first missing chunk, and to transcribe it, as far as that is known."""
        if self._first_missing is not None:
            span, read_seconds = self._first_missing
            return read_seconds + self._expected_seconds(span.duration_seconds)
        # It was not reached: what is left to read takes as long for each minute as what was read.
        elapsed = time.monotonic() - self._started
        share_read = self._reached / duration_seconds if duration_seconds else 0.0
        return elapsed / max(share_read, LEAST_SHARE_READ)

    def _reason(self, errors: Sequence[TranscriberError]) -> TranscriberError:
        """The error that decides what follows: one that ends every run, else one that waiting cures, else the first."""
        every = [error for error in errors if error.cause in _OF_EVERY_CHUNK]
        if every:
            return every[0]
        if self._end is not None and not isinstance(self._end, IncompleteError):
            return self._end
        curable = [error for error in errors if error.is_retryable]
        if curable:
            return curable[0]
        return self._end or errors[0]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The spans in order of time, those that touch as one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start_seconds):
        if joined and span.start_seconds <= joined[-1].end_seconds:
            joined[-1] = Span(joined[-1].start_seconds, max(joined[-1].end_seconds, span.end_seconds))
        else:
            joined.append(span)
    return joined
