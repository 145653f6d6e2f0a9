"""Has a recording transcribed by the best model there is, chunk by chunk, and joins what was heard."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from transcriber.api.backend import NO_USAGE, Backend, ChunkTranscript, Poster, Usage
from transcriber.api.models import ModelCatalog, ModelLister
from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiTimeoutError, ModelNotFoundError
from transcriber.request.options import TranscriptionOptions
from transcriber.settings import ApiKind, Settings
from transcriber.spans import Segment, Span
from transcriber.text.joining import join_texts
from transcriber.transcription.completeness import ChunkCalls, ChunkResult, transcribe_chunk
from transcriber.transcription.parallel import DEFAULT_HELD_BYTES, map_parallel

# Milliseconds are what anybody can use of a duration, and what the shortest frame's length asks for.
SECONDS_DECIMALS = 3


@dataclass(frozen=True)
class Transcript:
    """A whole recording's words.

    `segments` are there where they were asked for; `chunks` and `not_sent` are the spans that were sent, and those that
    have no sound in them.
    """

    text: str
    model: str
    duration_seconds: float
    warnings: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    usage: Usage = NO_USAGE
    chunks: tuple[Span, ...] = ()
    not_sent: tuple[Span, ...] = ()


class Caller(Poster, ModelLister, Protocol):
    """What is needed of the API."""


@dataclass(frozen=True)
class Transcriber:
    """What an instance transcribes with; its chunks in flight may hold `max_held_bytes`."""

    settings: Settings
    api: Caller
    directory: ModelCatalog
    backends: Mapping[ApiKind, Backend]
    max_held_bytes: int = DEFAULT_HELD_BYTES

    def transcribe(
        self, chunks: Iterable[Chunk], options: TranscriptionOptions, *, deadline: Deadline
    ) -> tuple[ChunkResult, ...]:
        """What is said in `chunks`, in order.

        All of it by one model, the next one where the preferred does not exist, or does not hear what there is. The
        first chunk that cannot be transcribed is an error, and ends the others.
        """
        # One that can be ended without the request's own, which goes on with what is made of the error.
        deadline = Deadline(deadline.remaining_seconds(), limit_seconds=deadline.limit_seconds)

        def ask(chunk: Chunk, model: str) -> ChunkTranscript:
            return self._ask(chunk, model, options, deadline)

        # To a model that only transcribes, a prompt is a list of words to expect.
        first = self.settings.api_kind(options.model or self.settings.models[0])
        asking = ChunkCalls(
            ask=ask,
            models=lambda: self.directory.candidates(options.model, lister=self.api, deadline=deadline),
            is_transcription=options.asks_for_words or first is ApiKind.TRANSCRIPTIONS,
            wants_times=options.wants_times,
        )
        pieces = map_parallel(
            self._in_time(chunks, deadline),
            lambda chunk: transcribe_chunk(chunk, asking),
            parallel=self.settings.parallel_calls,
            deadline=deadline,
            max_held_bytes=self.max_held_bytes,
        )
        return tuple(piece for several in pieces for piece in several)

    def _in_time(self, chunks: Iterable[Chunk], deadline: Deadline) -> Iterable[Chunk]:
        for chunk in chunks:
            if deadline.has_passed():
                raise ApiTimeoutError(f"The recording takes longer than {deadline.limit_seconds:g} s (TIME_LIMIT).")
            yield chunk

    def _ask(self, chunk: Chunk, model: str, options: TranscriptionOptions, deadline: Deadline) -> ChunkTranscript:
        speaks = self.settings.api_kind(model)
        if speaks is None:
            raise AssertionError(model)  # neither settings nor directory let such a model through
        # A chunk is a part where it comes from memory; of a part it is not known how loud the rest is.
        wants_times = options.wants_times or chunk.body.held_bytes > 0
        try:
            return self.backends[speaks].transcribe(
                chunk, model=model, options=options, api=self.api, deadline=deadline, wants_times=wants_times
            )
        except ModelNotFoundError:
            self.directory.deny(model)
            raise


def join(pieces: Sequence[ChunkResult], *, options: TranscriptionOptions, warnings: Iterable[str]) -> Transcript:
    """The transcript of the recording whose spans are `pieces`, in order; `warnings` are of the recording itself."""
    sent = [piece for piece in pieces if piece.was_sent]
    model, others = _models(sent)
    noticed = [*warnings, *others, *(warning for piece in pieces for warning in piece.transcript.warnings)]
    languages = Counter(piece.transcript.language for piece in sent if piece.transcript.language is not None)
    return Transcript(
        text=join_texts(piece.transcript.text for piece in pieces),
        model=model,
        duration_seconds=max((piece.span.end_seconds for piece in pieces), default=0.0),
        warnings=tuple(dict.fromkeys(noticed)),
        segments=tuple(segment for piece in pieces for segment in piece.segments),
        language=languages.most_common(1)[0][0] if languages else options.language,
        usage=sum((piece.transcript.usage for piece in pieces), start=NO_USAGE),
        chunks=tuple(piece.span for piece in sent),
        not_sent=tuple(piece.span for piece in pieces if not piece.was_sent),
    )


def _models(sent: Sequence[ChunkResult]) -> tuple[str, list[str]]:
    """The model that heard most, and a warning for each other one."""
    models = Counter(piece.transcript.model for piece in sent)
    ordered = [model for model, _ in models.most_common()]
    main = ordered[0] if ordered else ""
    return main, [f"{models[model]} of {len(sent)} parts were transcribed by {model}." for model in ordered[1:]]
