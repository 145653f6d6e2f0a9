"""`json`: the text, with the facts about it."""

import json
import math
from typing import Any, Final

from transcriber.outputs.base import OutputFormat
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript

JSON_TYPE: Final = "application/json"


def fields(transcript: Transcript) -> dict[str, Any]:
    """The fields of the object; `duration` in seconds, `usage` in whole seconds of audio."""
    found: dict[str, Any] = {
        "text": transcript.text,
        "model": transcript.model,
        "duration": round(transcript.duration_seconds, SECONDS_DECIMALS),
        "usage": {"type": "duration", "seconds": math.ceil(transcript.duration_seconds)},
    }
    if transcript.warnings:
        found["warnings"] = transcript.warnings
    return found


def render(transcript: Transcript) -> str:
    """The object as JSON."""
    return json.dumps(fields(transcript), ensure_ascii=False)


FORMAT: Final = OutputFormat(JSON_TYPE, render)
