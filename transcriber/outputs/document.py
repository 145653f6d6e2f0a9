"""The stored form of a transcript: written once, read back as a transcript, whatever format is requested then.

People and programs read it as the `verbose_json` answer. What an answer does not have and the function needs again
stands in further fields, which such readers ignore; `document` is the version of the form. Results without it, stored
by versions before there was one, are read as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from transcriber.api.backend import NO_USAGE, Usage
from transcriber.outputs import verbose_json
from transcriber.outputs.plain_json import pairs
from transcriber.spans import Segment, Span, Word
from transcriber.transcription.transcript import SECONDS_DECIMALS, Transcript

VERSION = 1


def to_document(transcript: Transcript) -> dict[str, Any]:
    """The document of `transcript`; optional fields of a segment are there where it has them."""
    document = verbose_json.fields(transcript)
    for fields, segment in zip(document["segments"], transcript.segments, strict=True):
        if segment.words:
            fields["words"] = [
                {
                    "word": word.text,
                    "start": round(word.start_seconds, SECONDS_DECIMALS),
                    "end": round(word.end_seconds, SECONDS_DECIMALS),
                }
                for word in segment.words
            ]
        if segment.channel is not None:
            fields["channel"] = segment.channel
        if segment.speaker is not None:
            fields["speaker"] = segment.speaker
    return {
        **document,
        "document": VERSION,
        "api_usage": asdict(transcript.usage),
        "chunks": pairs(transcript.chunks),
        "silent_spans": pairs(transcript.silent_spans),
        "text_ends": list(transcript.text_ends),
    }


def from_document(document: Mapping[str, Any]) -> Transcript:
    """The transcript in `document`; `KeyError`, `TypeError` or `ValueError` for something else."""
    return Transcript(
        text=str(document["text"]),
        model=str(document["model"]),
        duration_seconds=float(document["duration"]),
        warnings=tuple(document.get("warnings", ())),
        segments=tuple(map(_segment, document["segments"])),
        language=document["language"],
        usage=Usage(**document["api_usage"]) if "api_usage" in document else NO_USAGE,
        chunks=_spans(document.get("chunks", ())),
        silent_spans=_spans(document.get("silent_spans", ())),
        text_ends=tuple(map(int, document.get("text_ends", ()))),
        missing=_spans(document.get("missing", ())),
    )


def _segment(fields: Mapping[str, Any]) -> Segment:
    return Segment(
        start_seconds=float(fields["start"]),
        end_seconds=float(fields["end"]),
        text=str(fields["text"]),
        words=tuple(
            Word(float(word["start"]), float(word["end"]), str(word["word"])) for word in fields.get("words", ())
        ),
        channel=fields.get("channel"),
        speaker=fields.get("speaker"),
    )


def _spans(pairs: Sequence[Sequence[float]]) -> tuple[Span, ...]:
    return tuple(Span(float(start), float(end)) for start, end in pairs)
