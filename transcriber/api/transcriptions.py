"""Has a chunk transcribed by the Audio Transcriptions API: a form whose file part is the audio as it is."""

from collections.abc import Mapping
from typing import Any

from transcriber.api.backend import ChunkTranscript, Poster, Usage
from transcriber.api.request_body import FilePart, FormBody
from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, ApiRefusedError
from transcriber.request.options import TranscriptionOptions
from transcriber.spans import Segment


class TranscriptionsBackend:
    """The Audio Transcriptions API.

    Whether a model gives times is not documented, so it is asked for them, and remembered if it refuses.
    """

    def __init__(self) -> None:
        self._without_times: set[str] = set()

    def transcribe(
        self,
        chunk: Chunk,
        *,
        model: str,
        options: TranscriptionOptions,
        api: Poster,
        deadline: Deadline,
        wants_times: bool = False,
    ) -> ChunkTranscript:
        """The transcript of `chunk`; options that this API does not have become warnings."""

        def ask(response_format: str) -> ChunkTranscript:
            return api.post(
                "/audio/transcriptions",
                lambda: make_body(chunk, model, options, response_format),
                lambda answer: _read_answer(answer, chunk, model, options),
                deadline=deadline,
            )

        if wants_times and model not in self._without_times:
            try:
                return ask("verbose_json")
            except ApiRefusedError:
                # Whether it is the format that was refused shows in that the same is taken without it.
                heard = ask("json")
                self._without_times.add(model)
                return heard
        return ask("json")


def make_body(chunk: Chunk, model: str, options: TranscriptionOptions, response_format: str) -> FormBody:
    """The form to send; its file is named for what its bytes are."""
    fields = {
        "model": model,
        "response_format": response_format,
        "temperature": f"{options.temperature or 0:g}",
        "language": options.language,
        "prompt": options.prompt,
    }
    return FormBody(
        fields={name: value for name, value in fields.items() if value is not None},
        filename=f"audio.{chunk.container}",
        content_type=chunk.container.content_type,
        upload=FilePart(chunk.body.open(), chunk.body.size_bytes),
    )


def _read_answer(answer: Mapping[str, Any], chunk: Chunk, model: str, options: TranscriptionOptions) -> ChunkTranscript:
    text, language = answer.get("text"), answer.get("language")
    if not isinstance(text, str):
        raise ApiFailedError("The API's answer has no text in it.")
    return ChunkTranscript(
        text=text.strip(),
        model=model,
        warnings=_warnings(model, options),
        segments=_segments(answer.get("segments"), text),
        language=language if isinstance(language, str) and language else None,
        usage=Usage(calls=1, audio_seconds=chunk.duration_seconds),
    )


def _segments(segments: object, text: str) -> tuple[Segment, ...] | None:
    """The API's segments; None when it gives none, or others than the words of its text."""
    if not isinstance(segments, list):
        return None
    read: list[Segment] = []
    for segment in segments:
        if not isinstance(segment, dict):
            return None
        start, end, words = segment.get("start"), segment.get("end"), segment.get("text")
        if not isinstance(start, int | float) or not isinstance(end, int | float) or not isinstance(words, str):
            return None
        if words.strip():
            read.append(Segment(float(start), max(float(start), float(end)), words.strip()))
    if "".join("".join(segment.text for segment in read).split()) != "".join(text.split()):
        return None
    return tuple(read)


def _warnings(model: str, options: TranscriptionOptions) -> tuple[str, ...]:
    unused = [name for name in ("top_p", "max_tokens") if getattr(options, name) is not None]
    return tuple(f"{name} was not used: {model} is asked through an API that does not have it." for name in unused)
