"""`json`: the text, with the facts about it."""

import json
import math
from collections.abc import Sequence
from typing import Any, Final

from transcriber.outputs.base import OutputFormat
from transcriber.spans import Span
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript

JSON_TYPE: Final = "application/json"


def fields(transcript: Transcript) -> dict[str, Any]:
    """The fields of the object; `duration` and `missing` in seconds, `usage` in whole seconds of audio."""
    found: dict[str, Any] = {
        "text": transcript.text,
        "model": transcript.model,
        "duration": round(transcript.duration_seconds, SECONDS_DECIMALS),
        "usage": {"type": "duration", "seconds": math.ceil(transcript.duration_seconds)},
    }
    if transcript.missing:
        found["missing"] = pairs(transcript.missing)
    if transcript.warnings:
        found["warnings"] = transcript.warnings
    return found


def pairs(spans: Sequence[Span]) -> list[list[float]]:
    """The start and end of each span, in seconds."""
    return [[round(span.start_seconds, SECONDS_DECIMALS), round(span.end_seconds, SECONDS_DECIMALS)] for span in spans]


def render(transcript: Transcript) -> str:
    """The object as JSON."""
    return json.dumps(fields(transcript), ensure_ascii=False)


FORMAT: Final = OutputFormat(JSON_TYPE, render)
