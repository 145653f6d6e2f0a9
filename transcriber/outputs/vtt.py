"""`vtt`: subtitles as a WebVTT file (W3C, WebVTT 1.0)."""

from typing import Final

from transcriber.outputs.base import OutputFormat
from transcriber.text.subtitles import cue_time, make_cues
from transcriber.transcription.transcript import Transcript


def render(transcript: Transcript) -> str:
    """The cues of the segments; warnings are notes before them, which players pass over."""
    cues = "".join(
        f"\n{cue_time(cue.start_seconds, '.')} --> {cue_time(cue.end_seconds, '.')}\n{_escaped(cue.lines)}\n"
        for cue in make_cues(transcript.segments, end_seconds=transcript.duration_seconds, language=transcript.language)
    )
    return f"WEBVTT\n{''.join(map(_note, transcript.warnings))}{cues}"


def _note(warning: str) -> str:
    """A comment block: it ends with an empty line, and has no arrow in it."""
    return f"\nNOTE {' '.join(warning.split()).replace('-->', '→')}\n"


def _escaped(lines: tuple[str, ...]) -> str:
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMAT: Final = OutputFormat("text/vtt", render)
