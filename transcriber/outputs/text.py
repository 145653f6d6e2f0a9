"""`text`: the words and a line end."""

from typing import Final

from transcriber.outputs.base import OutputFormat
from transcriber.transcription.transcript import Transcript


def render(transcript: Transcript) -> str:
    """The text of the transcript."""
    return transcript.text + "\n"


FORMAT: Final = OutputFormat("text/plain; charset=utf-8", render)
