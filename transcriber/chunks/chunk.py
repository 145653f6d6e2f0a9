"""A chunk: a span of the recording, as WAV or MP3, that one call of the API transcribes."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import ClassVar

from transcriber.audio.containers import Container
from transcriber.audio.decoding import Decoder
from transcriber.audio.loudness import Loudness, sample_loudness
from transcriber.audio.mp3_frames import frame_loudness
from transcriber.audio.pcm import samples_of
from transcriber.audio.spectrum import SHORTEST_NOISE_SECONDS, SpeechMeter
from transcriber.audio.wav import WavLayout
from transcriber.deadline import Deadline
from transcriber.errors import UnsupportedAudioError
from transcriber.request.base64_text import Base64Text
from transcriber.settings import MAX_CHUNK_MINUTES
from transcriber.sources.base import Reader, Source
from transcriber.sources.inline import InlineSource
from transcriber.spans import Span

# What the Generative APIs take in one call: 25 MB a file, counted as the server behind them counts (vLLM: in MiB), and
# 30 minutes for a transcription.
MAX_CHUNK_BYTES = 25 * 1024 * 1024
MAX_CHUNK_SECONDS = MAX_CHUNK_MINUTES * 60.0
# Where levels leave a doubt, speech is looked for in this much of the sound first, then in twice as much, and so on.
FIRST_LOOK_SECONDS = 10.0


class Payload(ABC):
    """The bytes of a chunk, which can be read as often as needed."""

    @property
    @abstractmethod
    def size_bytes(self) -> int:
        """The number of bytes that `open` reads."""

    @property
    @abstractmethod
    def memory_bytes(self) -> int:
        """The memory that the chunk occupies as long as it exists."""

    @property
    @abstractmethod
    def reads_source(self) -> bool:
        """Whether it is read from the recording's source, which takes time, and only the source's thread may do."""

    @property
    def encoded(self) -> Base64Text | None:
        """The same bytes as base64 text, where they arrived in that form."""
        return None

    @abstractmethod
    def open(self) -> Reader:
        """A reading of all bytes; close it."""


@dataclass(frozen=True)
class SourcePayload(Payload):
    """A whole source, sent while it arrives; its size is known, and it can be read again."""

    source: Source

    @property
    def size_bytes(self) -> int:
        """The source's size."""
        return self.source.size_bytes or 0

    @property
    def memory_bytes(self) -> int:
        """None: the bytes pass through."""
        return 0

    @property
    def reads_source(self) -> bool:
        """Always."""
        return True

    @property
    def encoded(self) -> Base64Text | None:
        """The base64 text of the request, if that is the source."""
        return self.source.encoded if isinstance(self.source, InlineSource) else None

    def open(self) -> Reader:
        """A new reading of the source."""
        return self.source.open()


@dataclass(frozen=True)
class BytesPayload(Payload):
    """Bytes in memory, in blocks that follow each other: a header, and what was cut out of a recording."""

    blocks: Sequence[bytes] = field(repr=False)

    @cached_property
    def size_bytes(self) -> int:
        """All blocks together."""
        return sum(map(len, self.blocks))

    @property
    def memory_bytes(self) -> int:
        """The same; a header is small."""
        return self.size_bytes

    @property
    def reads_source(self) -> bool:
        """Never."""
        return False

    def open(self) -> Reader:
        """A reading of the blocks."""
        return _BlocksReader(self.blocks)


class _BlocksReader(Reader):
    def __init__(self, blocks: Sequence[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = memoryview(block)
        block, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return block

    def close(self) -> None:
        self._blocks, self._rest = iter(()), memoryview(b"")


@dataclass(frozen=True)
class Chunk:
    """A span of the recording, to be transcribed in one call.

    Its bytes begin `preroll_seconds` before the span, with sound of the chunk before that is too short for a word.
    `layout` says where the samples of a WAV file are. `measured` is the loudness of its bytes, where cutting measured
    it. `warnings` say what could not be read within the span. `heading` is of a track that begins with it.
    """

    span: Span
    container: Container
    payload: Payload = field(repr=False)
    layout: WavLayout | None = None
    preroll_seconds: float = 0.0
    measured: Loudness | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    heading: str = ""

    @property
    def origin_seconds(self) -> float:
        """When its first byte plays, in seconds from the recording's start."""
        return self.span.start_seconds - self.preroll_seconds

    @property
    def duration_seconds(self) -> float:
        """How long its bytes play."""
        return self.span.duration_seconds + self.preroll_seconds

    @property
    def has_loudness(self) -> bool:
        """Whether `loudness` is at hand, without reading the recording's source again."""
        return self.measured is not None or not self.payload.reads_source

    @cached_property
    def loudness(self) -> Loudness:
        """The loudness of its bytes over time; measured once, from the bytes if cutting did not measure it.

        Where noise, hum or an offset hides the words in it, it is how much the sound exceeds them.
        """
        levels = self._measure() if self.measured is None else self.measured
        if levels.is_nothing or not levels.is_steady or self.duration_seconds < SHORTEST_NOISE_SECONDS:
            return levels
        with suppress(UnsupportedAudioError):
            return self._speech_meter(until_speech=False).take_all()
        return levels

    @cached_property
    def is_silent(self) -> bool:
        """Whether there is no speech in it, but nothing, or steady noise; false where that is not known cheaply."""
        levels = self.measured
        if levels is None or levels.is_nothing:
            return levels is not None
        if levels.is_clear or self.duration_seconds < SHORTEST_NOISE_SECONDS:
            return False
        with suppress(UnsupportedAudioError):
            return self._speech_meter(until_speech=True).take_all().is_steady
        return False

    def _measure(self) -> Loudness:
        with self.payload.open() as reader:
            reader.skip(0 if self.layout is None else self.layout.data_start)
            data = reader.read_fully(self.payload.size_bytes)
        if self.layout is None:
            return frame_loudness(data)
        return sample_loudness(data, sample_rate_hz=self.layout.sample_rate_hz, channels=self.layout.channels)

    def _speech_meter(self, *, until_speech: bool) -> SpeechMeter:
        """The bands of its spectrum, of all of it, or up to where there is speech; MP3 is decoded for it."""
        look_at_seconds = FIRST_LOOK_SECONDS
        with ExitStack() as opened:
            meter, blocks = self._samples(opened)
            for samples in blocks:
                meter.feed(samples)
                if until_speech and meter.seconds >= look_at_seconds:
                    if not meter.levels().is_steady:
                        break
                    look_at_seconds *= 2
            return meter

    def _samples(self, opened: ExitStack) -> tuple[SpeechMeter, "Iterator[array[int]]"]:
        """Its samples, some seconds at a time, and a meter for them."""
        if self.layout is not None:
            reader = opened.enter_context(self.payload.open())
            reader.skip(self.layout.data_start)
            blocks = iter(partial(reader.read_fully, self.layout.bytes_per_second), b"")
            meter = SpeechMeter(sample_rate_hz=self.layout.sample_rate_hz, channels=self.layout.channels)
            return meter, map(samples_of, blocks)
        decoder = opened.enter_context(Decoder(PayloadSource(self.payload), demuxer=self.container.value, name="MP3"))
        meter = SpeechMeter(sample_rate_hz=decoder.sample_rate_hz, channels=1)
        return meter, decoder.samples(max_seconds=float("inf"), deadline=Deadline(float("inf")))


class PayloadSource(Source):
    """A chunk's payload as a source."""

    kind: ClassVar[str] = "chunk"

    def __init__(self, payload: Payload) -> None:
        super().__init__(max_bytes=payload.size_bytes)
        self.size_bytes = payload.size_bytes
        self._payload = payload

    def _connect(self, start: int) -> Reader:
        reader = self._payload.open()
        reader.skip(start)
        return reader
