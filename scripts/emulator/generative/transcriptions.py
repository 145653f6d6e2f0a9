"""Audio transcriptions, multipart, as the servers behind such APIs answer them."""

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
from emulator.generative.budget import MAX_OUTPUT_TOKENS, Output, cut
from emulator.generative.errors import ApiError
from emulator.generative.fault_effects import spoil
from emulator.generative.intake import TRANSCRIPTIONS_PATH, Apis, intake
from emulator.generative.models import Api, max_duration_seconds, only_transcribes
from emulator.generative.server_sent_events import DONE, event_stream
from emulator.recognisers.base import Recognition, Segment

LISTS = frozenset({"timestamp_granularities[]", "include[]"})


class TranscriptionRequest(BaseModel):
    """The fields beside the file; they are text, from which numbers are parsed."""

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
        asked = _read(apis)
        audio = accept_audio(_file().stream.read(), max_duration_seconds=max_duration_seconds(asked.model))
        heard = apis.recogniser.recognise(
            io.BytesIO(audio.data), language=asked.language, prompt=asked.prompt, temperature=asked.temperature
        )
        whole = cut(heard.text, apis.recogniser, MAX_OUTPUT_TOKENS)
        output = spoil(whole, intake().fault, MAX_OUTPUT_TOKENS)
        return _answer(asked, heard if output is whole else _spoilt(heard, output), output)

    return blueprint


def _read(apis: Apis) -> TranscriptionRequest:
    if request.mimetype != "multipart/form-data":
        raise ApiError(400, "The body must be multipart/form-data")
    form = request.form
    if "model" not in form:
        raise ApiError(422, "The model is missing", param="model", code="model_not_found")
    apis.models.require(form["model"], Api.TRANSCRIPTIONS)
    asked = TranscriptionRequest.model_validate(
        {name: form.getlist(name) if name in LISTS else form[name] for name in form}
    )
    if asked.response_format == "verbose_json" and only_transcribes(asked.model) is False:
        # Segments come from Whisper's own time tokens; a chat model has none.
        raise ApiError(400, f"verbose_json is not supported by {asked.model}", param="response_format")
    if asked.granularities and asked.response_format != "verbose_json":
        raise ApiError(400, "timestamp_granularities needs verbose_json", param="timestamp_granularities")
    if asked.stream and asked.response_format == "verbose_json":
        raise ApiError(400, "verbose_json cannot be streamed", param="stream")
    return asked


def _file() -> FileStorage:
    file = request.files.get("file")
    if file is None or not file.filename:
        found = "it has no filename" if "file" in request.form or file is not None else "it is missing"
        raise ApiError(400, f"The file must be a part with a filename, and {found}", param="file")
    return file


def _spoilt(heard: Recognition, output: Output) -> Recognition:
    """What is left where a fault removed text: this API does not say that it stopped early; its times show it."""
    segments, left = [], output.text.strip()
    for segment in heard.segments:
        if not left:
            break
        if not left.startswith(segment.text):  # it stops in this one, or has another text altogether
            segments.append(replace(segment, text=left))
            left = ""
        else:
            segments.append(segment)
            left = left[len(segment.text) :].strip()
    return Recognition(output.text, tuple(segments), heard.language, heard.duration_seconds)


def _answer(asked: TranscriptionRequest, heard: Recognition, output: Output) -> Response:
    if asked.stream:
        return event_stream(_events(asked.model, output))
    if asked.response_format == "text":
        return Response(heard.text, mimetype="text/plain")
    usage = {"type": "duration", "seconds": math.ceil(heard.duration_seconds)}
    if asked.response_format == "json":
        return jsonify({"text": heard.text, "usage": usage})
    return jsonify(
        {
            "task": "transcribe",
            "language": heard.language,
            "duration": heard.duration_seconds,
            "text": heard.text,
            "segments": [_segment(number, segment) for number, segment in enumerate(heard.segments)],
            "usage": usage,
        }
    )


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {"id": number, "start": segment.start_seconds, "end": segment.end_seconds, "text": segment.text}


def _events(model: str, output: Output) -> Iterator[str]:
    """The events of vLLM, which look like those of a chat and not like OpenAI's `transcript.text.delta`."""
    head = {"id": f"trsc-{uuid.uuid4().hex}", "object": "transcription.chunk", "created": int(time.time())}

    def event(delta: dict[str, str], finish_reason: str | None = None) -> str:
        return json.dumps({**head, "model": model, "choices": [{"delta": delta, "finish_reason": finish_reason}]})

    for token in output.tokens:
        yield event({"content": token})
    yield event({}, output.finish_reason)
    yield DONE
