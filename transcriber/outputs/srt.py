"""`srt`: subtitles as a SubRip file."""

from typing import Final

from transcriber.outputs.base import OutputFormat
from transcriber.text.subtitles import cue_time, make_cues
from transcriber.transcription.transcript import Transcript


def render(transcript: Transcript) -> str:
    """The cues of the segments.

    SubRip has no escapes: an arrow in a text, which would look like that of the times, becomes the character for it.
    """
    return "\n".join(
        f"{number}\n{cue_time(cue.start_seconds, ',')} --> {cue_time(cue.end_seconds, ',')}\n"
        + "\n".join(line.replace("-->", "→") for line in cue.lines)
        + "\n"
        for number, cue in enumerate(
            make_cues(transcript.segments, end_seconds=transcript.duration_seconds, language=transcript.language), 1
        )
    )


FORMAT: Final = OutputFormat("application/x-subrip", render)
