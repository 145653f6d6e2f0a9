"""Translates requests to the paths of the OpenAI API into our own, so that its clients only change their base URL.

It neither reads the audio nor answers: what the answer to a chat completion needs goes forward as `ChatReply`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from transcriber.errors import RequestError
from transcriber.request.fields import read_text, refuse_unknown, short
from transcriber.request.options import FLAGS, OPTIONS


class ApiPath(StrEnum):
    """The ends of the paths that clients of the OpenAI API call; `ROOT` is every other path that is served."""

    CHAT = "/chat/completions"
    TRANSCRIPTIONS = "/audio/transcriptions"
    MODELS = "/models"
    OPENAPI = "/openapi.json"
    UPLOADS = "/uploads"
    ROOT = ""


@dataclass(frozen=True)
class ChatReply:
    """What the answer to a chat completion needs from its request."""

    completion_id: str
    is_streamed: bool = False
    streams_usage: bool = False


@dataclass(frozen=True)
class TranscriptEvents:
    """The answer to a transcription is a stream of events."""


# What an answer in a form of the OpenAI API needs from its request.
Reply: TypeAlias = ChatReply | TranscriptEvents

# The client's own bookkeeping, and options without an effect on a transcript: ignoring them changes nothing.
IGNORED_FIELDS: Final = frozenset({
    "metadata",
    "moderation",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "service_tier",
    "store",
    "user",
    "verbosity",
})  # fmt: skip
# Clients send these with the value that changes nothing. With another value, the answer would not be the requested one.
NEUTRAL_VALUES: Final[Mapping[str, Sequence[object]]] = {
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "presence_penalty": (0,),
    "stop": ([], ""),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
}
# The same for a transcription; "auto" means that the server cuts the audio, which always happens.
NEUTRAL_FORM_VALUES: Final[Mapping[str, Sequence[object]]] = {
    "chunking_strategy": ("auto",),
    "include": ([],),
    "include[]": ([],),
}
CHAT_OPTIONS: Final = tuple(name for name in OPTIONS if name != "prompt")  # the messages are the prompt
CHAT_FIELDS: Final = (
    "messages",
    "max_completion_tokens",
    "stream",
    "stream_options",
    *CHAT_OPTIONS,
    *NEUTRAL_VALUES,
    *sorted(IGNORED_FIELDS),
)

# Roles before the model's answer. A message of an assistant or a tool belongs to a conversation, which this is not.
ROLES: Final = frozenset({"system", "developer", "user"})
# The characters in which an address has its scheme; base64 has no colon.
LONGEST_SCHEME = 20
PART_TYPES: Final = ("text", "input_audio", "audio_url", "file")


def api_path(path: str) -> ApiPath:
    """The path of the API that `path` ends with: the function may be mounted anywhere."""
    return next(known for known in ApiPath if path.rstrip("/").endswith(known))


def read_transcription(fields: Mapping[str, Any]) -> tuple[dict[str, Any], TranscriptEvents | None]:
    """The fields of our request for a transcription, and whether its answer is a stream of events."""
    asked = _without_neutral(fields, NEUTRAL_FORM_VALUES)
    if isinstance(streams := asked.get("stream"), str):  # in a form, everything is a text
        asked["stream"] = FLAGS.get(streams.strip().lower(), streams)
    is_streamed = _read_flag(asked, "stream")
    asked.pop("stream", None)
    return asked, TranscriptEvents() if is_streamed else None


def read_chat_form(fields: Mapping[str, Any], *, request_id: str) -> tuple[dict[str, Any], ChatReply]:
    """The same for a form that is sent to the path of chat completions, which has no messages."""
    asked, events = read_transcription({name: fields[name] for name in fields if name not in IGNORED_FIELDS})
    asked.setdefault("response_format", "text")
    return asked, ChatReply(f"chatcmpl-{request_id}", is_streamed=events is not None)


def read_chat(fields: Mapping[str, Any], *, request_id: str) -> tuple[dict[str, Any], ChatReply]:
    """The fields of our request for a chat completion, and what its answer needs.

    The texts of the messages become the prompt, and the answer's content has the format `response_format`, by default
    `text`. The source is the part `input_audio`, an object with OpenAI and a text with Mistral, or `audio_url`, as in
    vLLM.
    """
    refuse_unknown(fields, CHAT_FIELDS, what="a chat completion")
    asked = _without_neutral(fields, NEUTRAL_VALUES)
    read = {name: asked[name] for name in CHAT_OPTIONS if name in asked}
    read_text(asked, "model")
    read |= _read_messages(asked.get("messages"))
    read["response_format"] = _read_response_format(asked.get("response_format", "text"))
    if "max_completion_tokens" in asked:
        read["max_tokens"] = asked["max_completion_tokens"]
    is_streamed = _read_flag(asked, "stream")
    stream_options = asked.get("stream_options", {})
    if not isinstance(stream_options, dict):
        raise RequestError('stream_options is an object: {"include_usage": true}.', param="stream_options")
    reply = ChatReply(
        completion_id=f"chatcmpl-{request_id}",
        is_streamed=is_streamed,
        streams_usage=_read_flag(stream_options, "include_usage"),
    )
    return read, reply


def _without_neutral(fields: Mapping[str, Any], neutral: Mapping[str, Sequence[object]]) -> dict[str, Any]:
    """`fields` without those that are null or neutral; `RequestError` for one that must be neutral and is not."""
    asked = {name: value for name, value in fields.items() if value is not None}
    for name in neutral.keys() & asked.keys():
        if asked.pop(name) not in neutral[name]:
            raise RequestError(f"{name} is not available here; leave it out.", param=name)
    return asked


def _read_messages(messages: object) -> dict[str, Any]:
    """The source and the prompt in `messages`."""
    texts: list[str] = []
    sources: list[dict[str, Any]] = []
    for where, part in _parts(messages):
        match part.get("type"):
            case "text" if isinstance(part.get("text"), str) and not part["text"].strip():
                pass  # clients have a text beside the recording, whether there is something to say or not
            case "text":
                texts.append(read_text(part, "text", prefix=f"{where}."))
            case "file":
                sources.append(_read_file(part.get("file"), where))
            case "input_audio" | "audio_url" as kind:
                sources.append(_read_source(kind, part.get(kind), where))
            case kind:
                message = f"{where} has the type {short(str(kind))}; {', '.join(PART_TYPES)} are read here."
                raise RequestError(message, param="messages")
    if len(sources) != 1:
        found = f"there are {len(sources)}" if sources else "there is none"
        raise RequestError(f"The messages hold one recording, as an input_audio part; {found}.", param="messages")
    return sources[0] | ({"prompt": "\n\n".join(texts)} if texts else {})


def _parts(messages: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part of `messages`, with its path in the words of a message."""
    if not isinstance(messages, list):
        raise RequestError("messages is a list of messages.", param="messages")
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if not isinstance(message, dict):
            raise RequestError(f'{where} is an object: {{"role": "user", "content": […]}}.', param="messages")
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            roles = ", ".join(sorted(ROLES))
            raise RequestError(
                f"{where} has another role than {roles}: this is one task on one recording, not a conversation.",
                param="messages",
            )
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise RequestError(f"{where}.content is a text, or a list of parts.", param="messages")
        yield from ((f"{where}.content[{index}]", part) for index, part in enumerate(parts))


def _read_source(kind: str, value: object, where: str) -> dict[str, Any]:
    """The field of our request for a part with a recording."""
    if kind == "input_audio" and isinstance(value, dict):
        return {"input_audio": value}
    text = value.get("url") if isinstance(value, dict) else value
    if not isinstance(text, str):
        expected = '{"data": "<base64>", "format": "mp3"}' if kind == "input_audio" else '{"url": "https://…"}'
        raise RequestError(f"{where}.{kind} is an object: {expected}.", param="messages")
    is_encoded = text.startswith("data:") or (kind == "input_audio" and "://" not in text[:LONGEST_SCHEME])
    return {"audio" if is_encoded else "url": text}


def _read_file(value: object, where: str) -> dict[str, Any]:
    """The field of our request for a part with a file: its bytes as a data: URL, or its address in the place of an id.

    OpenAI has such parts for documents, and LiteLLM for everything.
    """
    file = value if isinstance(value, dict) else {}
    data, address = file.get("file_data"), file.get("file_id")
    if isinstance(data, str) and data.strip():
        is_address = "://" in data[:LONGEST_SCHEME]
        return {"url" if is_address else "audio": data}
    if isinstance(address, str) and "://" in address[:LONGEST_SCHEME]:
        return {"url": address}
    raise RequestError(
        f'{where}.file is an object: {{"file_data": "data:audio/mp3;base64,…"}}; there are no ids of files here.',
        param="messages",
    )


def _read_response_format(value: object) -> object:
    """A format by its name, or in the chat API's form, where only `text` is one of ours."""
    if not isinstance(value, dict):
        return value
    if value.get("type") != "text":
        message = 'response_format is {"type": "text"}, or the name of a format of transcripts, such as "srt".'
        raise RequestError(message, param="response_format")
    return "text"


def _read_flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise RequestError(f"{name} is true or false.", param=name)
    return bool(value)
