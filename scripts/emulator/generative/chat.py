"""Chat completions with `input_audio`; the emulated model always answers with the transcript.

The real model follows the prompt: it translates, summarises, answers questions. The emulated one ignores the prompt.
"""

import base64
import binascii
import io
import json
import time
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from emulator.audio_check import AcceptedAudio, accept_audio
from emulator.generative.budget import MAX_OUTPUT_TOKENS, Output, audio_tokens, cut, output_limit
from emulator.generative.errors import ApiError
from emulator.generative.fault_effects import apply_to_output
from emulator.generative.intake import CHAT_PATH, Apis, admit, intake
from emulator.generative.models import Api, max_duration_seconds
from emulator.generative.server_sent_events import DONE, event_stream

STRICT = ConfigDict(strict=True, frozen=True, extra="ignore")  # the servers behind such APIs ignore unknown fields

Penalty = Annotated[float | None, Field(ge=-2, le=2)]
MaxTokens = Annotated[int | None, Field(ge=1, le=MAX_OUTPUT_TOKENS)]


class TextPart(BaseModel):
    """A part of a message that is text."""

    model_config = STRICT
    type: Literal["text"]
    text: str


class InputAudio(BaseModel):
    """Audio as plain base64, and its format, which must be the true one."""

    model_config = STRICT
    data: str
    format: Literal["wav", "mp3"]


class AudioPart(BaseModel):
    """A part of a message that is audio."""

    model_config = STRICT
    type: Literal["input_audio"]
    input_audio: InputAudio


def _as_parts(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


Part = Annotated[TextPart | AudioPart, Field(discriminator="type")]


class Message(BaseModel):
    """One message; content that is a text is read as a single part."""

    model_config = STRICT
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[list[Part], BeforeValidator(_as_parts)]


class StreamOptions(BaseModel):
    """The options of a stream."""

    model_config = STRICT
    include_usage: bool = False


class ChatRequest(BaseModel):
    """A chat request with the ranges that OpenAI's reference gives for its fields."""

    model_config = STRICT
    model: str
    messages: list[Message] = Field(min_length=1)
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    max_tokens: MaxTokens = None
    max_completion_tokens: MaxTokens = None
    n: Annotated[int | None, Field(ge=1, le=1)] = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    presence_penalty: Penalty = None
    frequency_penalty: Penalty = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


def chat_blueprint(apis: Apis) -> Blueprint:
    """The route of chat completions."""
    blueprint = Blueprint("chat", __name__)

    @blueprint.post(CHAT_PATH)
    def create() -> Response:
        fields = _read(apis)
        audio = _read_audio(fields)
        text = "".join(part.text for part in _parts(fields) if isinstance(part, TextPart))
        prompt_tokens = len(apis.recogniser.tokens(text)) + audio_tokens(audio.duration_seconds)
        limit = output_limit(prompt_tokens, fields.max_completion_tokens or fields.max_tokens)
        admit(apis, fields.model, audio_seconds=audio.duration_seconds, tokens=prompt_tokens)
        recognition = apis.recogniser.recognise(io.BytesIO(audio.data), temperature=fields.temperature or 0.0)
        stop = [fields.stop] if isinstance(fields.stop, str) else fields.stop or []
        output = apply_to_output(cut(recognition.text, apis.recogniser, limit, stop), intake().fault, limit)
        intake().output_tokens = len(output.tokens)
        return _answer(fields, output, _usage(prompt_tokens, output))

    return blueprint


def _read(apis: Apis) -> ChatRequest:
    body = intake().json
    if request.mimetype != "application/json" or not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object, with Content-Type: application/json")
    if not isinstance(body.get("model"), str):
        raise ApiError(422, "The model is missing", param="model", code="model_not_found")
    apis.models.require(body["model"], Api.CHAT)
    fields = ChatRequest.model_validate(body)
    if fields.stream_options is not None and not fields.stream:
        raise ApiError(400, "stream_options is only allowed with stream", param="stream_options")
    return fields


def _parts(fields: ChatRequest) -> Iterator[Part]:
    for message in fields.messages:
        yield from message.content


def _read_audio(fields: ChatRequest) -> AcceptedAudio:
    parts = [part.input_audio for part in _parts(fields) if isinstance(part, AudioPart)]
    if len(parts) != 1:
        found = "there is none" if not parts else f"there are {len(parts)}"
        raise ApiError(
            400, f"The emulated model only transcribes: it needs one input_audio, and {found}", param="messages"
        )
    try:
        data = base64.b64decode(parts[0].data, validate=True)
    except (binascii.Error, ValueError) as error:  # ValueError: text that is not ASCII
        raise ApiError(400, "input_audio.data is not valid base64", param="messages") from error
    audio = accept_audio(data, max_duration_seconds=max_duration_seconds(fields.model))
    if audio.container != parts[0].format:
        raise ApiError(400, f"The format is {parts[0].format}, but the audio is {audio.container}", param="messages")
    return audio


def _usage(prompt_tokens: int, output: Output) -> dict[str, int]:
    completion_tokens = len(output.tokens)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def _answer(fields: ChatRequest, output: Output, usage: dict[str, int]) -> Response:
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": fields.model}
    if fields.stream:
        with_usage = fields.stream_options is not None and fields.stream_options.include_usage
        return event_stream(_events(head, output, usage if with_usage else None))
    message = {"role": "assistant", "content": output.text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": output.finish_reason}
    return jsonify({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _events(head: dict[str, Any], output: Output, usage: dict[str, int] | None) -> Iterator[str]:
    def event(delta: dict[str, str], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return json.dumps({**head, "object": "chat.completion.chunk", "choices": [choice]})

    yield event({"role": "assistant", "content": ""})
    for token in output.tokens:
        yield event({"content": token})
    yield event({}, output.finish_reason)
    if usage is not None:
        yield json.dumps({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield DONE
