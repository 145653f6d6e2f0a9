"""`verbose_json`: the fields of `json`, with language and segments."""

import json
from typing import Any, Final

from transcriber.outputs import plain_json
from transcriber.outputs.base import OutputFormat
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript


def fields(transcript: Transcript) -> dict[str, Any]:
    """The fields of the object; times in seconds."""
    segments = [
        {
            "id": number,
            "start": round(segment.start_seconds, SECONDS_DECIMALS),
            "end": round(segment.end_seconds, SECONDS_DECIMALS),
            "text": segment.text,
        }
        for number, segment in enumerate(transcript.segments)
    ]
    return {
        "task": "transcribe",
        **plain_json.fields(transcript),
        "language": transcript.language,
        "segments": segments,
    }


def render(transcript: Transcript) -> str:
    """The object as JSON."""
    return json.dumps(fields(transcript), ensure_ascii=False)


FORMAT: Final = OutputFormat(JSON_TYPE, render)
