"""Renders a transcript as a chat completion, whole or as an event stream; it never changes a word."""

import json
import time
from typing import Any, Final

from transcriber.outputs.plain_json import pairs
from transcriber.request.openai_api import ChatReply
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript

# The text, not JSON, that ends a stream of the OpenAI API.
DONE: Final = "[DONE]"


def completion(content: str, transcript: Transcript, reply: ChatReply) -> dict[str, Any]:
    """The object of the OpenAI API whose message is `content`; `duration`, `missing` and `warnings` are ours.

    `finish_reason` is always `stop`: a transcript that was cut for its length is an error.
    """
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    head = _head("chat.completion", transcript, reply)
    return {**head, "choices": [choice], "usage": _usage(transcript), **_additions(transcript)}


def stream(content: str, transcript: Transcript, reply: ChatReply) -> str:
    """The same as server-sent events: role, content, end, tokens where they are requested, `[DONE]`.

    The content is one delta, since the platform sends the function's answer in one piece anyway.
    """
    head = _head("chat.completion.chunk", transcript, reply)
    unbilled = {"usage": None} if reply.streams_usage else {}

    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**head, "choices": [choice], **unbilled}

    chunks = [
        chunk({"role": "assistant", "content": ""}),
        *([chunk({"content": content})] if content else []),
        chunk({}, "stop") | _additions(transcript),
    ]
    if reply.streams_usage:
        chunks.append({**head, "choices": [], "usage": _usage(transcript)})
    return "".join(f"data: {event}\n\n" for event in (*(json.dumps(each) for each in chunks), DONE))


def _head(kind: str, transcript: Transcript, reply: ChatReply) -> dict[str, Any]:
    return {"id": reply.completion_id, "object": kind, "created": int(time.time()), "model": transcript.model}


def _usage(transcript: Transcript) -> dict[str, int] | None:
    """The tokens that the API counted; null where it bills by the second, or states none."""
    usage = transcript.usage
    total = usage.prompt_tokens + usage.completion_tokens
    if usage.calls and not total:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": total,
    }


def _additions(transcript: Transcript) -> dict[str, Any]:
    """The fields of a transcript's answer that a chat completion does not have."""
    return {
        "duration": round(transcript.duration_seconds, SECONDS_DECIMALS),
        **({"missing": pairs(transcript.missing)} if transcript.missing else {}),
        **({"warnings": transcript.warnings} if transcript.warnings else {}),
    }
