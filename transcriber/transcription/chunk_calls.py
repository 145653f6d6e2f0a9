"""The calls that transcribe chunks of one recording: which models there are for it, and what a model's answer is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from transcriber.api.backend import ApiClient, Backend, CallContext, ChunkTranscript
from transcriber.api.models import ModelCatalog
from transcriber.chunks.chunk import Chunk
from transcriber.errors import (
    AccountRefusedError,
    ModelNotFoundError,
    OptionRefusedError,
    OverlongTranscriptError,
    RequestedModelNotFoundError,
)
from transcriber.request.options import TranscriptionOptions
from transcriber.settings import ApiKind, Settings
from transcriber.transcription.pace import RecordingPace

# Far more than anybody says, in any script, and more than an instruction's answer needs.
MAX_CHARACTERS_PER_SECOND = 100
MIN_MAX_CHARACTERS = 20_000
# Where the API's times may show a gap, they are requested whatever the answer's format; a shorter chunk has none.
SHORTEST_TIMED_SECONDS = 10.0
PROMPT_NOT_USED = "The prompt was not used: {} loses words with it."


@dataclass(frozen=True)
class ChunkCalls:
    """Calls with the same options; all of them end with the same deadline or cancellation."""

    settings: Settings
    api: ApiClient
    catalog: ModelCatalog
    backends: Mapping[ApiKind, Backend]
    options: TranscriptionOptions
    context: CallContext
    pace: RecordingPace = field(default_factory=RecordingPace)

    @property
    def wants_times(self) -> bool:
        """Whether the transcript's segments need times."""
        return self.options.wants_times

    def models(self) -> Iterator[str]:
        """The models to call, the preferred one first; see `ModelCatalog.candidates`."""
        return self.catalog.candidates(self.options.model, api=self.api, context=self.context)

    def is_verbatim(self, model: str) -> bool:
        """Whether the model's answer is words of the recording alone, so that it can be checked against the sound."""
        return self._backend(model).is_verbatim(self.options)

    def prompts(self, model: str) -> bool:
        """Whether a call of `model` sends a prompt that is vocabulary, which may cost words."""
        kind = self.settings.api_kind(model)
        options = self.options
        is_vocabulary = kind is ApiKind.TRANSCRIPTIONS and bool(options.prompt) and not options.prompt_is_instruction
        return is_vocabulary and self.catalog.takes_prompt(model)

    def transcribe(self, chunk: Chunk, model: str, *, with_prompt: bool = True) -> ChunkTranscript:
        """The transcript of `chunk` by `model`; `ApiError` or `SourceError` after the retries."""
        options = self.options
        warnings: tuple[str, ...] = ()
        if options.prompt and not options.prompt_is_instruction and self.settings.api_kind(model) is not ApiKind.CHAT:
            if not self.catalog.takes_prompt(model):
                with_prompt, warnings = False, (PROMPT_NOT_USED.format(model),)
            if not with_prompt:
                options = replace(options, prompt=None)
        try:
            transcript = self._backend(model).transcribe(
                chunk,
                model=model,
                options=options,
                api=self.api,
                context=self.context,
                wants_times=self.options.wants_times or chunk.duration_seconds >= SHORTEST_TIMED_SECONDS,
            )
        except ModelNotFoundError as error:
            self.catalog.mark_missing(model, self.context)
            if model == self.options.model:
                raise RequestedModelNotFoundError(error.message, param="model", api_status=error.api_status) from None
            raise
        except AccountRefusedError as error:
            if error.param in self.options.to_fields():
                raise OptionRefusedError(error.message, param=error.param, api_status=error.api_status) from None
            raise
        _check_length(transcript.text, chunk.duration_seconds)
        return _encodable(replace(transcript, warnings=(*transcript.warnings, *warnings)))

    def _backend(self, model: str) -> Backend:
        kind = self.settings.api_kind(model)
        if kind is None:
            raise AssertionError(model)  # neither settings nor catalog let such a model pass
        return self.backends[kind]


def _check_length(text: str, seconds: float) -> None:
    """Refuse a text that is longer than any speech: to align it would take minutes, and memory."""
    limit = max(MIN_MAX_CHARACTERS, int(seconds * MAX_CHARACTERS_PER_SECOND))
    if len(text) > limit:
        message = f"The model's answer has {len(text)} characters for {seconds:.0f} s of sound: that is no transcript."
        raise OverlongTranscriptError(f"{message} Another model may do better: name it as the model.")


def _encodable(transcript: ChunkTranscript) -> ChunkTranscript:
    """The transcript without halves of surrogate pairs, which JSON can spell and UTF-8 cannot."""
    try:
        transcript.text.encode()
    except UnicodeEncodeError:
        segments = transcript.segments
        if segments is not None:
            segments = tuple(replace(segment, text=_without_surrogates(segment.text)) for segment in segments)
        return replace(transcript, text=_without_surrogates(transcript.text), segments=segments)
    return transcript


def _without_surrogates(text: str) -> str:
    """`text`, whose pairs of halves become the character that they spell, and single halves U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
