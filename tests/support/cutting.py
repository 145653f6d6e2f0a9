"""A minute of speech in several encodings, cut into chunks, and the content of chunks."""

import base64
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
from support.encoding import encode
from support.long_recordings import LongRecording, real_speech

from emulator.recognisers.markers import Samples
from transcriber.audio import wav
from transcriber.audio.identify import PassThroughAudio, identify
from transcriber.audio.mp3_frames import FrameScanner
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.request.base64_text import read_base64
from transcriber.sources.base import Reader, Source
from transcriber.sources.inline import InlineSource

VBR = {"flags": "+qscale", "global_quality": "472"}
MP3: dict[str, dict[str, Any]] = {
    "CBR 16": {"bit_rate": 16_000},
    "CBR 64": {"bit_rate": 64_000, "rate_hz": 44_100},
    "CBR 320": {"bit_rate": 320_000, "rate_hz": 44_100, "channels": 2},
    "VBR": {"rate_hz": 44_100, "codec_options": VBR},
}


@cache
def speech() -> LongRecording:
    return real_speech(1, seed=5, noise_dbfs=-60)


@cache
def mp3(name: str) -> bytes:
    return encode(speech().samples, "mp3", "libmp3lame", **MP3[name])


def source_of(data: bytes) -> InlineSource:
    return InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)


class OnceReader(Reader):
    """Reads bytes in blocks that are new, as those from a network are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def read(self, size: int) -> bytes:
        block = self._data[self._position : self._position + size]
        self._position += len(block)
        return block

    def close(self) -> None:
        self._data = b""


class OnceSource(Source):
    """A source that can be read only once."""

    kind: ClassVar[str] = "test"

    def __init__(self, data: bytes) -> None:
        super().__init__(max_bytes=10**9)
        self._data = data
        self.readings = 0

    @property
    def can_be_read_again(self) -> bool:
        return False

    def _connect(self, start: int) -> Reader:
        assert start == 0
        self.readings += 1
        return OnceReader(self._data)


def plain(data: bytes) -> PassThroughAudio:
    audio = identify(source_of(data), max_seconds=10**6)
    assert isinstance(audio, PassThroughAudio)
    return audio


def chunks_of(data: bytes, chunk_seconds: float, **limits: Any) -> list[Chunk]:
    return chunks_of_source(source_of(data), chunk_seconds, **limits)


def chunks_of_source(source: Source, chunk_seconds: float, **limits: Any) -> list[Chunk]:
    options = CutOptions(
        limits=ChunkLimits(chunk_seconds, **limits), max_seconds=10**6, deadline=Deadline(60), keep_loudness=True
    )
    return list(cut(identify(source, max_seconds=10**6), options))


def warnings_of(chunks: Iterable[Chunk]) -> list[str]:
    return [warning for chunk in chunks for warning in chunk.warnings]


def bytes_of(chunk: Chunk) -> bytes:
    with chunk.payload.open() as reader:
        return reader.read_fully(chunk.payload.size_bytes + 1)


def samples_of(chunks: Sequence[Chunk]) -> Samples:
    """The samples of chunks of WAV, joined."""
    return np.frombuffer(b"".join(bytes_of(chunk)[wav.PLAIN_HEADER_BYTES :] for chunk in chunks), np.int16)


def without_preroll(chunk: Chunk) -> bytes:
    """The frames of a chunk of MP3 that are in its span."""
    scanner = FrameScanner()
    scanner.feed(bytes_of(chunk))
    scanner.finish()
    preroll = round(chunk.preroll_seconds / scanner.frame_seconds)
    start = scanner.ends[preroll - 1] if preroll else 0
    return b"".join(scanner.take(len(scanner.levels), keep=0))[start:]
