"""The calls that transcribe chunks of one recording: which models there are for it, and what a model's answer is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from transcriber.api.backend import ApiClient, Backend, CallContext, ChunkTranscript
from transcriber.api.models import ModelCatalog
from transcriber.chunks.chunk import Chunk
from transcriber.errors import AccountRefusedError, ModelNotFoundError, OptionRefusedError, RequestedModelNotFoundError
from transcriber.request.options import TranscriptionOptions
from transcriber.settings import ApiKind, Settings


@dataclass(frozen=True)
class ChunkCalls:
    """Calls with the same options; all of them end with the same deadline or cancellation."""

    settings: Settings
    api: ApiClient
    catalog: ModelCatalog
    backends: Mapping[ApiKind, Backend]
    options: TranscriptionOptions
    context: CallContext

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

    def transcribe(self, chunk: Chunk, model: str) -> ChunkTranscript:
        """The transcript of `chunk` by `model`; `ApiError` or `SourceError` after the retries."""
        try:
            return self._backend(model).transcribe(
                chunk,
                model=model,
                options=self.options,
                api=self.api,
                context=self.context,
                # Times show what a model left out, but only against the loudness of the chunk.
                wants_times=self.options.wants_times or chunk.has_loudness,
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

    def _backend(self, model: str) -> Backend:
        kind = self.settings.api_kind(model)
        if kind is None:
            raise AssertionError(model)  # neither settings nor catalog let such a model pass
        return self.backends[kind]
