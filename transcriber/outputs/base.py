"""What every output format is.

To add one: name it in `transcriber.response_format`, write its module here with a `FORMAT`, and add the row to the
table in `transcriber.outputs.formats`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from transcriber.transcription.transcript import Transcript


@dataclass(frozen=True)
class OutputFormat:
    """A format: its media type, and how a transcript is rendered in it."""

    content_type: str
    render: Callable[[Transcript], str]
