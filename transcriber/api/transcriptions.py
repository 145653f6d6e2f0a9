"""The backend for the Audio Transcriptions API: a form whose file part is the audio, unencoded."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from transcriber.api.backend import ApiClient, CallContext, ChunkTranscript, Usage
from transcriber.api.request_body import FilePart, FormBody
from transcriber.chunks.chunk import Chunk
from transcriber.errors import ApiFailedError, ApiRefusedError
from transcriber.request.options import TranscriptionOptions
from transcriber.spans import Segment

# A server that lacks a format answers that the request is wrong, or that its values are.
REFUSALS_OF_A_FORMAT = (400, 422)


class TranscriptionsBackend:
    """The Audio Transcriptions API.

    Whether a model gives times is not documented, so they are requested, and a refusal is remembered.
    """

    def __init__(self) -> None:
        self._without_times: set[str] = set()

    def is_verbatim(self, options: TranscriptionOptions) -> bool:  # noqa: ARG002 # a prompt is vocabulary here
        """Always: to a model that only transcribes, a prompt is a list of words to expect."""
        return True

    def transcribe(
        self,
        chunk: Chunk,
        *,
        model: str,
        options: TranscriptionOptions,
        api: ApiClient,
        context: CallContext,
        wants_times: bool = False,
    ) -> ChunkTranscript:
        """The transcript of `chunk`; options that this API does not have become warnings."""
        if not wants_times or model in self._without_times:
            return _call("json", chunk, model=model, options=options, api=api, context=context)
        try:
            return _call("verbose_json", chunk, model=model, options=options, api=api, context=context)
        except ApiRefusedError as error:
            if error.api_status not in REFUSALS_OF_A_FORMAT:
                raise
            # The format was the reason if the same call without it succeeds.
            transcript = _call("json", chunk, model=model, options=options, api=api, context=context)
            self._without_times.add(model)
            return transcript


def _call(
    response_format: str,
    chunk: Chunk,
    *,
    model: str,
    options: TranscriptionOptions,
    api: ApiClient,
    context: CallContext,
) -> ChunkTranscript:
    return api.post(
        "/audio/transcriptions",
        partial(make_body, chunk, model, options, response_format),
        partial(_read_answer, chunk=chunk, model=model, options=options),
        context=context,
        audio_seconds=chunk.duration_seconds,
    )


def make_body(chunk: Chunk, model: str, options: TranscriptionOptions, response_format: str) -> FormBody:
    """The form to send; its file is named after its container."""
    fields = {
        "model": model,
        "response_format": response_format,
        "temperature": f"{options.temperature or 0:g}",
        "language": options.language,
        "prompt": _prompt(options),
    }
    return FormBody(
        fields={name: value for name, value in fields.items() if value is not None},
        filename=f"audio.{chunk.container}",
        content_type=chunk.container.content_type,
        file=FilePart(chunk.payload.open(), chunk.payload.size_bytes),
    )


def _prompt(options: TranscriptionOptions) -> str | None:
    """The prompt to send; none where it is an instruction, which a model that only transcribes cannot follow."""
    return None if options.prompt_is_instruction else options.prompt


def _read_answer(answer: Mapping[str, Any], chunk: Chunk, model: str, options: TranscriptionOptions) -> ChunkTranscript:
    text, language = answer.get("text"), answer.get("language")
    if not isinstance(text, str):
        raise ApiFailedError("The API's answer has no text in it.")
    # Imported with the first answer: its patterns take 20 ms of CPU to compile, for which no cold start waits.
    from transcriber.text.model_additions import clean_transcription, doubt_warnings  # noqa: PLC0415

    clean = clean_transcription(text, _prompt(options))
    segments = _segments(answer.get("segments"), text)
    if segments is not None and clean.text != text.strip():
        segments = _clean_segments(segments, clean.text, clean=lambda words: clean_transcription(words).text)
    return ChunkTranscript(
        text=clean.text,
        model=model,
        warnings=(*_warnings(model, options), *doubt_warnings(clean, chunk.span)),
        segments=segments,
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
        if not math.isfinite(start) or not math.isfinite(end):  # JSON, as Python reads it, has NaN and Infinity
            return None
        if words.strip():
            read.append(Segment(float(start), max(float(start), float(end)), words.strip()))
    if "".join("".join(segment.text for segment in read).split()) != "".join(text.split()):
        return None
    return tuple(read)


def _clean_segments(
    segments: Sequence[Segment], text: str, *, clean: Callable[[str], str]
) -> tuple[Segment, ...] | None:
    """The segments, each without what was taken out of the text; None where that gives other words than the text's."""
    cleaned = [replace(segment, text=clean(segment.text)) for segment in segments]
    if "".join("".join(segment.text for segment in cleaned).split()) != "".join(text.split()):
        return None
    return tuple(segment for segment in cleaned if segment.text)


def _warnings(model: str, options: TranscriptionOptions) -> tuple[str, ...]:
    unused = [name for name in ("top_p", "max_tokens") if getattr(options, name) is not None]
    warnings = [f"{name} was not used: the API of {model} does not have it." for name in unused]
    if options.prompt_is_instruction:
        # As vocabulary, "Transcribe this audio" would appear in silence.
        warnings.insert(0, f"The text of the messages was not used: {model} only transcribes.")
    return tuple(warnings)
