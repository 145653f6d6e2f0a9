"""Renders a transcript as the events of OpenAI's streamed transcriptions; it never changes a word."""

import json
from typing import Any

from transcriber.outputs.plain_json import fields
from transcriber.transcription.transcript import Transcript


def transcription_events(transcript: Transcript) -> str:
    """Server-sent events: a `transcript.text.delta` for the text of each chunk, then `transcript.text.done` with all.

    The deltas add up to the text. They come in one piece, as the platform sends an answer. `usage` is there where the
    API counted tokens, which is all that OpenAI's event knows; the other fields of the `json` answer are additions.
    """
    events: list[dict[str, Any]] = [
        {"type": "transcript.text.delta", "delta": delta} for delta in transcript.text_of_chunks
    ]
    additions = {name: value for name, value in fields(transcript).items() if name not in {"text", "usage"}}
    done = {"type": "transcript.text.done", "text": transcript.text, **_tokens(transcript), **additions}
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in (*events, done))


def _tokens(transcript: Transcript) -> dict[str, Any]:
    usage = transcript.usage
    total = usage.prompt_tokens + usage.completion_tokens
    if not total:
        return {}
    counts = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens, "total_tokens": total}
    return {"usage": {"type": "tokens", **counts}}
