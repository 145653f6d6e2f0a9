"""Chunks: their bytes can be read as often as needed, and their loudness is measured once."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recordings import hum

from transcriber.audio.containers import Container
from transcriber.audio.wav import read_layout
from transcriber.chunks.chunk import BytesPayload, Chunk, SourcePayload
from transcriber.request.base64_text import read_base64
from transcriber.sources.base import Reader
from transcriber.sources.inline import InlineSource
from transcriber.spans import Span


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(1, 130))
def test_bytes_in_memory_are_read_in_any_size(blocks: list[bytes], size: int) -> None:
    """Each reading gives all blocks once, in reads of any size, and then nothing more."""
    payload = BytesPayload(blocks)
    whole = b"".join(blocks)
    assert (payload.size_bytes, payload.memory_bytes, payload.reads_source) == (len(whole), len(whole), False)
    for _ in range(2):
        with payload.open() as reader:
            assert b"".join(iter(lambda: reader.read(size), b"")) == whole
            assert reader.read(size) == b""


def test_source_takes_no_memory() -> None:
    """A source that is sent while it arrives takes no memory of its own, and its base64 text is passed on."""
    encoded = read_base64(base64.b64encode(b"audio" * 100).decode(), param=None)
    source = InlineSource(encoded, max_bytes=1000)
    payload = SourcePayload(source)
    assert (payload.size_bytes, payload.memory_bytes, payload.reads_source) == (500, 0, True)
    assert payload.encoded == encoded
    for _ in range(2):
        with payload.open() as reader:
            assert reader.read_fully(1000) == b"audio" * 100
    assert source.bytes_read == 1000


class CountingPayload(BytesPayload):
    """Bytes in memory that count their readings."""

    readings = 0

    def open(self) -> Reader:
        CountingPayload.readings += 1
        return super().open()


def test_loudness_is_measured_once() -> None:
    """The loudness of a chunk is measured once, or not at all if cutting has done so."""
    data = hum(3, pauses=[(1, 2)])
    layout = read_layout(data)
    chunk = Chunk(Span(0, 3), Container.WAV, CountingPayload([data]), layout)
    CountingPayload.readings = 0
    first = chunk.loudness
    assert chunk.loudness is first
    assert first.speech_seconds == pytest.approx(2, abs=0.2)
    assert CountingPayload.readings == 1
    measured = Chunk(Span(0, 3), Container.WAV, CountingPayload([data]), layout, measured=first)
    assert measured.loudness is first
    assert CountingPayload.readings == 1


def test_loudness_is_at_hand_unless_the_source_has_to_be_read_again() -> None:
    """Bytes in memory can be measured; a source would have to be read again, which costs time."""
    source = InlineSource(read_base64(base64.b64encode(b"audio" * 100).decode(), param=None), max_bytes=1000)
    assert Chunk(Span(0, 3), Container.WAV, BytesPayload([b""])).has_loudness
    assert not Chunk(Span(0, 3), Container.WAV, SourcePayload(source)).has_loudness


def test_chunk_plays_its_preroll_and_its_span() -> None:
    """Its bytes begin with the preroll, which belongs to the chunk before."""
    chunk = Chunk(Span(10, 15), Container.MP3, BytesPayload([]), preroll_seconds=0.5)
    assert (chunk.origin_seconds, chunk.duration_seconds) == (9.5, 5.5)
