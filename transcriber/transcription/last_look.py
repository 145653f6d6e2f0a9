"""Checks each chunk's text against those of all others, when the whole recording is transcribed: it can only warn."""

from collections.abc import Sequence

from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.issues import LISTEN, MIN_SPEECH_SECONDS, issue_of
from transcriber.transcription.pace import Paced


def last_look(results: Sequence[ChunkResult]) -> tuple[str, ...]:
    """A warning for each result whose text is in doubt beside the others, and that has no such warning yet."""
    known = [
        (result, Paced(result.span, result.text, result.sound_seconds))
        for result in results
        if result.sound_seconds is not None and result.sound_seconds >= MIN_SPEECH_SECONDS
    ]
    reliable = [paced for result, paced in known if not result.is_doubtful]
    warnings = []
    for result, paced in known:
        if result.is_doubtful:
            continue
        issue = issue_of(paced, tuple(other for other in reliable if other is not paced))
        if issue is not None:
            warnings.append(f"{result.span.clock_times} {issue.warning} {LISTEN}")
    return tuple(warnings)
