"""Has the chunks transcribed by the best model there is, and joins what was heard into one transcript."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from transcriber.audio import Audio, check_duration
from transcriber.backends import BACKENDS, ChunkTranscript
from transcriber.backends.base import Poster, TokenUsage
from transcriber.chunks import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ModelNotFoundError
from transcriber.models import ModelDirectory, ModelLister
from transcriber.options import TranscriptionOptions
from transcriber.settings import Settings

# A header that is wrong by less than this is wrong by a frame or a tag, and no word is missing.
NOTICEABLE_SECONDS = 0.5
# Milliseconds are what anybody can use of a duration, and what the shortest frame's length asks for.
SECONDS_DECIMALS = 3


@dataclass(frozen=True)
class Transcript:
    """A whole recording's words; `tokens` is None where the API counts none, or did not tell."""

    text: str
    model: str
    duration_seconds: float
    warnings: tuple[str, ...] = ()
    tokens: TokenUsage | None = None


class Caller(Poster, ModelLister, Protocol):
    """What is needed of the API."""


@dataclass(frozen=True)
class Transcriber:
    """What an instance transcribes with."""

    settings: Settings
    api: Caller
    directory: ModelDirectory

    def transcribe(
        self, chunks: Sequence[Chunk], options: TranscriptionOptions, *, deadline: Deadline
    ) -> tuple[ChunkTranscript, ...]:
        """The transcripts of `chunks`, in order, all by one model; the next one where the preferred does not exist."""
        missing: ModelNotFoundError | None = None
        for model in self.directory.candidates(options.model, lister=self.api, deadline=deadline):
            try:
                return tuple(self._transcribe(chunk, model, options, deadline) for chunk in chunks)
            except ModelNotFoundError as error:
                missing = error
                self.directory.deny(model)
        raise missing or AssertionError  # candidates raises where there are none

    def _transcribe(
        self, chunk: Chunk, model: str, options: TranscriptionOptions, deadline: Deadline
    ) -> ChunkTranscript:
        speaks = self.settings.api_of(model)
        if speaks is None:
            raise AssertionError(model)  # neither settings nor directory let such a model through
        return BACKENDS[speaks].transcribe(chunk, model=model, options=options, api=self.api, deadline=deadline)


def join(pieces: Iterable[ChunkTranscript], audio: Audio, *, max_seconds: float) -> Transcript:
    """The transcript of `audio`, whose chunks gave `pieces`, in order.

    The length of audio that was announced by nobody is known, and checked, only now that it has been read.
    """
    pieces = tuple(pieces)
    check_duration(audio, max_seconds=max_seconds)
    duration_seconds = audio.duration_seconds or 0.0
    warnings = [warning for piece in pieces for warning in piece.warnings]
    if audio.missing_seconds > NOTICEABLE_SECONDS:
        stated_seconds = duration_seconds + audio.missing_seconds
        warnings.append(
            f"The file is cut off: its header says {stated_seconds:.1f} s, and {duration_seconds:.1f} s are there."
        )
    return Transcript(
        text=" ".join(piece.text for piece in pieces if piece.text),
        model=pieces[0].model,
        duration_seconds=duration_seconds,
        warnings=tuple(dict.fromkeys(warnings)),
        tokens=TokenUsage.total(piece.tokens for piece in pieces),
    )
