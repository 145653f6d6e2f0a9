"""Output formats: each format that a client can request has its row in the table."""

from transcriber.outputs.formats import FORMATS
from transcriber.response_format import FILE_SUFFIXES, ResponseFormat
from transcriber.transcription.transcript import Transcript


def test_every_format_has_a_row() -> None:
    """Each response format can be rendered, and files are written in formats that there are."""
    assert set(FORMATS) == set(ResponseFormat)
    assert set(FILE_SUFFIXES) < set(FORMATS)
    assert len(set(FILE_SUFFIXES.values())) == len(FILE_SUFFIXES)
    silence = Transcript("", "m", 1.0)
    assert all(isinstance(output.render(silence), str) for output in FORMATS.values())
