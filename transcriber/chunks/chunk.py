"""What one call of the API gets: a span of the recording, as WAV or MP3."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from transcriber.audio.containers import Container
from transcriber.audio.loudness import Loudness
from transcriber.audio.wav import WavLayout
from transcriber.request.base64_text import Base64Text
from transcriber.sources.base import Reader, Source
from transcriber.sources.inline import InlineSource
from transcriber.spans import Span

# What the Generative APIs take in one call: 25 MB a file, read as the server that is behind them reads it (vLLM counts
# in MiB), and 30 minutes for a transcription.
MAX_CHUNK_BYTES = 25 * 1024 * 1024
MAX_CHUNK_SECONDS = 30 * 60.0


class Payload(ABC):
    """The bytes of a chunk, which can be read as often as needed."""

    @property
    @abstractmethod
    def size_bytes(self) -> int:
        """How many bytes `open` will give."""

    @property
    def held_bytes(self) -> int:
        """How many of them are in memory on this chunk's account."""
        return 0

    @property
    def encoded(self) -> Base64Text | None:
        """The same bytes as base64 text, where they came as such."""
        return None

    @abstractmethod
    def open(self) -> Reader:
        """A reading of all bytes; close it."""


@dataclass(frozen=True)
class SourcePayload(Payload):
    """All of a source, sent while it arrives; its size is known, and it can be read again."""

    source: Source

    @property
    def size_bytes(self) -> int:
        """The source's size."""
        return self.source.size_bytes or 0

    @property
    def encoded(self) -> Base64Text | None:
        """The base64 text of the request, if that is the source."""
        return self.source.encoded if isinstance(self.source, InlineSource) else None

    def open(self) -> Reader:
        """A new reading of the source."""
        return self.source.open()


@dataclass(frozen=True)
class BytesPayload(Payload):
    """Bytes in memory: a header, and what was cut out of a recording."""

    header: bytes = field(repr=False)
    data: bytes | bytearray = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Header and data together."""
        return len(self.header) + len(self.data)

    @property
    def held_bytes(self) -> int:
        """The data; the header is nothing."""
        return len(self.data)

    def open(self) -> Reader:
        """A reading of header and data."""
        return _BytesReader(self)


class _BytesReader(Reader):
    def __init__(self, held: BytesPayload) -> None:
        self._parts = [memoryview(held.header), memoryview(held.data)]

    def read(self, size: int) -> bytes:
        while self._parts and not self._parts[0]:
            del self._parts[0]
        if not self._parts:
            return b""
        block, self._parts[0] = bytes(self._parts[0][:size]), self._parts[0][size:]
        return block

    def close(self) -> None:
        self._parts = []


@dataclass(frozen=True)
class Chunk:
    """A span of the recording to transcribe in one call.

    Its bytes begin `preroll_seconds` before the span, with sound of the chunk before that is too short for a word. `layout` says where the samples of a WAV file are. `levels` are those of its bytes, where cutting it has told.
    """

    span: Span
    container: Container
    body: Payload = field(repr=False)
    layout: WavLayout | None = None
    preroll_seconds: float = 0.0
    levels: Loudness | None = field(default=None, repr=False)

    @property
    def duration_seconds(self) -> float:
        """How long its bytes play."""
        return self.span.duration_seconds + self.preroll_seconds
