"""Has a chunk transcribed by the Audio Transcriptions API: a form whose file part is the audio as it is."""

from collections.abc import Mapping
from typing import Any

from transcriber.backends.base import ChunkTranscript, Poster
from transcriber.body import Form, Upload
from transcriber.chunks import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError
from transcriber.options import TranscriptionOptions


class TranscriptionsBackend:
    """The Audio Transcriptions API."""

    def transcribe(
        self, chunk: Chunk, *, model: str, options: TranscriptionOptions, api: Poster, deadline: Deadline
    ) -> ChunkTranscript:
        """The transcript of `chunk`; options that this API does not have become warnings."""
        text = api.post(
            "/audio/transcriptions", lambda: make_body(chunk, model, options), _read_answer, deadline=deadline
        )
        return ChunkTranscript(text=text, model=model, warnings=_warnings(model, options))


def make_body(chunk: Chunk, model: str, options: TranscriptionOptions) -> Form:
    """The form to send; its file is named for what its bytes are."""
    fields = {
        "model": model,
        "response_format": "json",
        "temperature": f"{options.temperature or 0:g}",
        "language": options.language,
        "prompt": options.prompt,
    }
    return Form(
        fields={name: value for name, value in fields.items() if value is not None},
        filename=f"audio.{chunk.container}",
        content_type=chunk.container.content_type,
        upload=Upload(chunk.open(), chunk.size_bytes),
    )


def _read_answer(answer: Mapping[str, Any]) -> str:
    text = answer.get("text")
    if not isinstance(text, str):
        raise ApiFailedError("The API's answer has no text in it.")
    return text.strip()


def _warnings(model: str, options: TranscriptionOptions) -> tuple[str, ...]:
    unused = [name for name in ("top_p", "max_tokens") if getattr(options, name) is not None]
    return tuple(f"{name} was not used: {model} is asked through an API that does not have it." for name in unused)
