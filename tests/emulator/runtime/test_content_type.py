"""Tests of the content type that Go's server detects."""

import pytest

from emulator.runtime.content_type import content_type_of


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"ID3\x04", "audio/mpeg"),
        (b"OggS\x00\x02", "application/ogg"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wave"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video/avi"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"FORM\x00\x00\x00\x00AIFF", "audio/aiff"),
        (b"MThd\x00\x00\x00\x06", "audio/midi"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"),
        (b"\x00\x00\x00\x14ftypM4A \x00\x00\x00\x00mp42", "video/mp4"),
        (b"\x00\x00\x00\x14ftypM4A mp42qt  ", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"\x1f\x8b\x08\x00", "application/x-gzip"),
        (b"PK\x03\x04", "application/zip"),
        (b"\xef\xbb\xbftext", "text/plain; charset=utf-8"),
        (b"\xff\xfea\x00", "text/plain; charset=utf-16le"),
        (b" \n<?xml version", "text/xml; charset=utf-8"),
        (b"\t<hTmL>", "text/html; charset=utf-8"),
        (b"<htmlx>", "text/plain; charset=utf-8"),
        (b"\xff\xfb\x90\x00", "application/octet-stream"),
        (b"a" * 512 + b"\x00", "text/plain; charset=utf-8"),
        (b" ID3", "text/plain; charset=utf-8"),
    ],
)
def test_each_row_of_the_table(body: bytes, kind: str) -> None:
    """The first bytes decide, and only white space may stand before HTML and XML."""
    assert content_type_of(body) == kind
