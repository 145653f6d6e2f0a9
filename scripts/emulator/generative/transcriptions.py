"""Audio transcriptions from multipart requests, answered as the servers behind such APIs do."""

import io
import json
import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.datastructures import FileStorage

from emulator.audio_check import accept_audio
from emulator.generative.budget import MAX_OUTPUT_TOKENS, Output, audio_tokens, cut
from emulator.generative.errors import ApiError
from emulator.generative.fault_effects import apply_to_output
from emulator.generative.intake import TRANSCRIPTIONS_PATH, Apis, admit, intake
from emulator.generative.models import Api, max_duration_seconds, only_transcribes
from emulator.generative.server_sent_events import DONE, event_stream
from emulator.recognisers.base import Recognition, Segment

LISTS = frozenset({"timestamp_granularities[]", "include[]"})


class TranscriptionRequest(BaseModel):
    """The fields beside the file; all are text, from which numbers are parsed."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    model: str
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}$")] = None
    prompt: str | None = None
    response_format: Literal["json", "text", "verbose_json"] = "json"
    temperature: Annotated[float, Field(ge=0, le=1)] = 0.0
    stream: bool = False
    granularities: Annotated[list[Literal["segment"]], Field(alias="timestamp_granularities[]")] = []


def transcriptions_blueprint(apis: Apis) -> Blueprint:
    """The route of audio transcriptions."""
    blueprint = Blueprint("transcriptions", __name__)

    @blueprint.post(TRANSCRIPTIONS_PATH)
    def create() -> Response:
        fields = _read(apis)
        audio = accept_audio(_file().stream.read(), max_duration_seconds=max_duration_seconds(fields.model))
        admit(
            apis,
            fields.model,
            audio_seconds=audio.duration_seconds,
            tokens=audio_tokens(audio.duration_seconds),
        )
        recognition = apis.recogniser.recognise(
            io.BytesIO(audio.data), language=fields.language, prompt=fields.prompt, temperature=fields.temperature
        )
        whole = cut(recognition.text, apis.recogniser, MAX_OUTPUT_TOKENS)
        output = apply_to_output(whole, intake().fault, MAX_OUTPUT_TOKENS)
        intake().output_tokens = len(output.tokens)
        return _answer(fields, recognition if output is whole else _shortened(recognition, output), output)

    return blueprint


def _read(apis: Apis) -> TranscriptionRequest:
    if request.mimetype != "multipart/form-data":
        raise ApiError(400, "The body must be multipart/form-data")
    form = request.form
    if "model" not in form:
        raise ApiError(422, "The model is missing", param="model", code="model_not_found")
    apis.models.require(form["model"], Api.TRANSCRIPTIONS)
    fields = TranscriptionRequest.model_validate(
        {name: form.getlist(name) if name in LISTS else form[name] for name in form}
    )
    if fields.response_format == "verbose_json" and only_transcribes(fields.model) is False:
        # Segments come from Whisper's time tokens; a chat model has none.
        raise ApiError(400, f"verbose_json is not supported by {fields.model}", param="response_format")
    if fields.granularities and fields.response_format != "verbose_json":
        raise ApiError(400, "timestamp_granularities needs verbose_json", param="timestamp_granularities")
    if fields.stream and fields.response_format == "verbose_json":
        raise ApiError(400, "verbose_json cannot be streamed", param="stream")
    return fields


def _file() -> FileStorage:
    file = request.files.get("file")
    if file is None or not file.filename:
        problem = "it has no filename" if "file" in request.form or file is not None else "it is missing"
        raise ApiError(400, f"The file must be a part with a filename, and {problem}", param="file")
    return file


def _shortened(recognition: Recognition, output: Output) -> Recognition:
    """The recognition that ends where a fault cut its text: in this API only the times show that it ended early."""
    segments, rest = [], output.text.strip()
    for segment in recognition.segments:
        if not rest:
            break
        if not rest.startswith(segment.text):  # the text ends within this one, or is a different one
            segments.append(replace(segment, text=rest))
            rest = ""
        else:
            segments.append(segment)
            rest = rest[len(segment.text) :].strip()
    return Recognition(output.text, tuple(segments), recognition.language, recognition.duration_seconds)


def _answer(fields: TranscriptionRequest, recognition: Recognition, output: Output) -> Response:
    if fields.stream:
        return event_stream(_events(fields.model, output))
    if fields.response_format == "text":
        return Response(recognition.text, mimetype="text/plain")
    usage = {"type": "duration", "seconds": math.ceil(recognition.duration_seconds)}
    if fields.response_format == "json":
        return jsonify({"text": recognition.text, "usage": usage})
    return jsonify(
        {
            "task": "transcribe",
            "language": recognition.language,
            "duration": recognition.duration_seconds,
            "text": recognition.text,
            "segments": [_segment(number, segment) for number, segment in enumerate(recognition.segments)],
            "usage": usage,
        }
    )


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {"id": number, "start": segment.start_seconds, "end": segment.end_seconds, "text": segment.text}


def _events(model: str, output: Output) -> Iterator[str]:
    """The events of vLLM, in the form of a chat's and not of OpenAI's `transcript.text.delta`."""
    head = {"id": f"trsc-{uuid.uuid4().hex}", "object": "transcription.chunk", "created": int(time.time())}

    def event(delta: dict[str, str], finish_reason: str | None = None) -> str:
        return json.dumps({**head, "model": model, "choices": [{"delta": delta, "finish_reason": finish_reason}]})

    for token in output.tokens:
        yield event({"content": token})
    yield event({}, output.finish_reason)
    yield DONE
