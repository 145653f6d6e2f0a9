"""Chunks: bytes that are read as often as needed, wherever they are."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber.audio.containers import Container
from transcriber.chunks.chunk import BytesPayload, Chunk, SourcePayload
from transcriber.request.base64_text import read_base64
from transcriber.sources.inline import InlineSource
from transcriber.spans import Span


@settings(deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(1, 130))
def test_held_bytes_are_header_and_data(header: bytes, data: bytes, block: int) -> None:
    """Each reading gives header and data once, in blocks of any size, and then nothing more."""
    body = BytesPayload(header, data)
    assert (body.size_bytes, body.held_bytes) == (len(header) + len(data), len(data))
    for _ in range(2):
        with body.open() as reader:
            assert b"".join(iter(lambda: reader.read(block), b"")) == header + data
            assert reader.read(block) == b""


def test_whole_source_is_not_held() -> None:
    """A source that is sent as it is costs no memory of its own, and its base64 text is passed on."""
    encoded = read_base64(base64.b64encode(b"audio" * 100).decode(), param=None)
    source = InlineSource(encoded, max_bytes=1000)
    body = SourcePayload(source)
    assert (body.size_bytes, body.held_bytes, body.encoded) == (500, 0, encoded)
    for _ in range(2):
        with body.open() as reader:
            assert reader.read_fully(1000) == b"audio" * 100
    assert source.bytes_read == 1000


def test_chunk_plays_its_span_and_what_leads_to_it() -> None:
    """Its bytes play longer than its span by the sound of the chunk before."""
    chunk = Chunk(Span(10, 15), Container.MP3, BytesPayload(b"", b""), preroll_seconds=0.5)
    assert chunk.duration_seconds == 5.5
