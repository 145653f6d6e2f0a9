"""The formats of a transcript, by the names of the OpenAI API: which ones have times, and how their files end.

`transcriber.outputs.formats` has the renderer of each.
"""

from enum import StrEnum
from typing import Final


class ResponseFormat(StrEnum):
    """The format of an answer."""

    JSON = "json"
    TEXT = "text"
    VERBOSE_JSON = "verbose_json"
    SRT = "srt"
    VTT = "vtt"

    @property
    def has_times(self) -> bool:
        """Whether it says when words are said."""
        return self not in {ResponseFormat.JSON, ResponseFormat.TEXT}


# The formats that OUTPUT_FORMATS may name, with the endings of their files beside the stored document.
FILE_SUFFIXES: Final = {ResponseFormat.TEXT: ".txt", ResponseFormat.SRT: ".srt", ResponseFormat.VTT: ".vtt"}
