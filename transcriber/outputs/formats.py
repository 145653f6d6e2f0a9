"""The table of output formats."""

from collections.abc import Mapping
from typing import Final

from transcriber.outputs import plain_json, srt, text, verbose_json, vtt
from transcriber.outputs.base import OutputFormat
from transcriber.response_format import ResponseFormat

FORMATS: Final[Mapping[ResponseFormat, OutputFormat]] = {
    ResponseFormat.JSON: plain_json.FORMAT,
    ResponseFormat.TEXT: text.FORMAT,
    ResponseFormat.VERBOSE_JSON: verbose_json.FORMAT,
    ResponseFormat.SRT: srt.FORMAT,
    ResponseFormat.VTT: vtt.FORMAT,
}
