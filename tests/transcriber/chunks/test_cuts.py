"""Cuts are deterministic: the same bytes give the same chunks, in whatever blocks they arrive; a version names them."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import pytest
from support.cutting import MP3, bytes_of, mp3, speech
from support.encoding import encode
from support.wav_files import UNKNOWN_SIZE, wav_file

from transcriber.audio.identify import identify
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CUTS_VERSION, CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.sources.base import Reader, Source

CHUNK_SECONDS = 16


class BlocksReader(Reader):
    """Reads bytes in blocks of any size that `next_size` returns."""

    def __init__(self, data: bytes, start: int, next_size: Callable[[], int]) -> None:
        self._data = data
        self._position = start
        self._next_size = next_size

    def read(self, size: int) -> bytes:
        block = self._data[self._position : self._position + min(size, self._next_size())]
        self._position += len(block)
        return block

    def close(self) -> None:
        self._data = b""


class BlocksSource(Source):
    """Bytes that arrive in blocks of any size."""

    kind: ClassVar[str] = "test"

    def __init__(self, data: bytes, next_size: Callable[[], int]) -> None:
        super().__init__(max_bytes=10**9)
        self.size_bytes = len(data)
        self._data = data
        self._next_size = next_size

    def _connect(self, start: int) -> Reader:
        return BlocksReader(self._data, start, self._next_size)


def encoded(container: str, codec: str, **options: Any) -> bytes:
    return encode(speech().samples, container, codec, **options)


RECORDINGS: dict[str, Callable[[], bytes]] = {
    "WAV": lambda: wav_file(speech().samples),
    "WAV of unknown length": lambda: wav_file(speech().samples, data_size_bytes=UNKNOWN_SIZE),
    "WAV s24 stereo 48 kHz": partial(encoded, "wav", "pcm_s24le", channels=2, rate_hz=48_000),
    **{f"MP3 {name}": partial(mp3, name) for name in MP3 if name != "CBR 320"},
    "MP3 8 kHz": partial(encoded, "mp3", "libmp3lame", bit_rate=16_000, rate_hz=8_000),
    "M4A": partial(encoded, "ipod", "aac", bit_rate=64_000, rate_hz=44_100),
    "AAC (ADTS)": partial(encoded, "adts", "aac", bit_rate=64_000, rate_hz=44_100),
    "Ogg with Opus": partial(encoded, "ogg", "libopus", bit_rate=32_000, rate_hz=48_000),
    "FLAC": partial(encoded, "flac", "flac"),
}

# The ends of the chunks, in seconds. Where a change moves one of these, CUTS_VERSION is raised, unless no function with
# that version was ever deployed.
ENDS: dict[str, Sequence[float]] = {
    "WAV": (15.9, 30.4, 44.2, 60.0),
    "WAV of unknown length": (15.9, 30.4, 44.2, 60.0),
    "WAV s24 stereo 48 kHz": (15.9, 30.45, 44.2, 60.0),
    "MP3 CBR 16": (16.6, 32.62, 44.64, 60.08),
    "MP3 CBR 64": (16.27, 32.63, 44.62, 60.03),
    "MP3 VBR": (15.86, 32.68, 44.72, 60.03),
    "MP3 8 kHz": (16.76, 30.49, 44.35, 60.0),
    "M4A": (15.95, 30.5, 44.25, 60.0),
    "AAC (ADTS)": (16.5, 30.55, 44.4, 60.02),
    "Ogg with Opus": (15.75, 30.4, 44.35, 60.0),
    "FLAC": (15.9, 30.4, 44.2, 60.0),
}


def chunks_in_blocks(data: bytes, next_size: Callable[[], int], *, chunk_seconds: float, **options: Any) -> list[Chunk]:
    source = BlocksSource(data, next_size)
    audio = identify(source, max_seconds=10**6)
    return list(cut(audio, CutOptions(ChunkLimits(chunk_seconds), 10**6, Deadline(60), **options)))


def content(chunks: Sequence[Chunk]) -> list[tuple[object, ...]]:
    return [(chunk.span, chunk.preroll_seconds, chunk.is_silent, chunk.warnings, bytes_of(chunk)) for chunk in chunks]


def test_version_names_these_cuts() -> None:
    """Recordings of one minute are cut at the places that belong to the version."""
    found = {
        name: tuple(
            round(chunk.span.end_seconds, 2)
            for chunk in chunks_in_blocks(make(), lambda: 65_536, chunk_seconds=CHUNK_SECONDS)
        )
        for name, make in RECORDINGS.items()
    }
    assert (CUTS_VERSION, found) == (3, ENDS)


@pytest.mark.parametrize("name", RECORDINGS)
def test_block_sizes_move_no_cut(name: str) -> None:
    """Chunks, their spans and their bytes are the same in blocks of 1 byte, of 1 MiB, and of random sizes."""
    data = RECORDINGS[name]()
    dice = random.Random(1)  # noqa: S311 # the same sizes every time, and nothing secret
    sizes: list[Callable[[], int]] = [lambda: 2**20, lambda: dice.choice((1, 7, 100, 4_096, 70_000))]
    if len(data) < 150_000:
        sizes.append(lambda: 1)
    expected = content(chunks_in_blocks(data, lambda: 65_536, chunk_seconds=CHUNK_SECONDS))
    assert len(expected) > 1
    for next_size in sizes:
        assert content(chunks_in_blocks(data, next_size, chunk_seconds=CHUNK_SECONDS)) == expected


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("chunk_seconds", [16, 300])
def test_wanting_times_moves_no_cut(name: str, chunk_seconds: float) -> None:
    """Whether loudness has to be at hand afterwards changes neither spans nor bytes."""
    data = RECORDINGS[name]()
    text, times = (
        chunks_in_blocks(data, lambda: 65_536, chunk_seconds=chunk_seconds, keep_loudness=keep)
        for keep in (False, True)
    )
    assert content(text) == content(times)
    assert all(chunk.has_loudness for chunk in times)
