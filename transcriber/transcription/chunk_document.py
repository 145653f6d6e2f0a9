"""The stored form of what came of a chunk: written once, read back by the instance that goes on with the recording."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from transcriber.api.backend import Usage
from transcriber.spans import Segment, Span, Word
from transcriber.transcription.chunk_result import ChunkResult


def to_fields(results: Sequence[ChunkResult]) -> list[dict[str, Any]]:
    """Plain values, for JSON; times are not rounded, so that they read back equal."""
    return [asdict(result) for result in results]


def from_fields(entries: Sequence[Mapping[str, Any]]) -> tuple[ChunkResult, ...]:
    """The results in `entries`; `KeyError` or `TypeError` for something else."""
    return tuple(
        ChunkResult(
            **{
                **entry,
                "span": Span(**entry["span"]),
                "segments": tuple(map(_segment, entry["segments"])),
                "usage": Usage(**entry["usage"]),
                "warnings": tuple(entry["warnings"]),
            }
        )
        for entry in entries
    )


def _segment(fields: Mapping[str, Any]) -> Segment:
    return Segment(**{**fields, "words": tuple(Word(**word) for word in fields["words"])})
