"""Cuts a recording into chunks while it arrives: samples between samples, MP3 between frames. Never decodes."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from transcriber.audio import mp3, wav
from transcriber.audio.byte_blocks import ByteBlocks
from transcriber.audio.containers import Container
from transcriber.audio.loudness import Loudness, LoudnessMeter
from transcriber.audio.mp3_frames import FrameScanner
from transcriber.audio.pcm import SAMPLE_BYTES, samples_of
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.chunks.cut_points import ChunkLimits, PendingUnits, next_cut
from transcriber.spans import Span


class SampleCutter:
    """Cuts 16-bit samples, channels interleaved, into chunks of WAV."""

    def __init__(self, limits: ChunkLimits, *, sample_rate_hz: int, channels: int) -> None:
        self._limits = limits
        self._sample_rate_hz = sample_rate_hz
        self._channels = channels
        self._meter = LoudnessMeter(sample_rate_hz=sample_rate_hz, channels=channels)
        self._blocks = ByteBlocks()
        self._start_bytes = 0

    @property
    def seconds(self) -> float:
        """The length of all samples so far."""
        bytes_per_second = SAMPLE_BYTES * self._channels * self._sample_rate_hz
        return (self._start_bytes + len(self._blocks)) / bytes_per_second

    def feed(self, block: bytes) -> Iterator[Chunk]:
        """Take more samples, whole ones but for the last block; the chunks that they complete."""
        samples = samples_of(block)
        self._blocks.append(block[: len(samples) * SAMPLE_BYTES])
        self._meter.feed(samples)
        yield from self._chunks(at_end=False)

    def finish(self) -> Iterator[Chunk]:
        """The chunks of the rest."""
        self._meter.finish()
        yield from self._chunks(at_end=True)

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        meter, unit_bytes = self._meter, self._meter.window_samples * SAMPLE_BYTES
        fitting = (self._limits.max_bytes - wav.PLAIN_HEADER_BYTES) // unit_bytes
        while meter.peaks:
            pending = PendingUnits(len(meter.peaks), meter.window_seconds, fitting, meter.decibels)
            units = next_cut(pending, self._limits, at_end=at_end)
            if units is None:
                return
            start, taken = self._start_bytes, self._blocks.take(units * unit_bytes)
            self._start_bytes += sum(map(len, taken))
            yield wav_chunk(
                taken,
                start_bytes=start,
                sample_rate_hz=self._sample_rate_hz,
                channels=self._channels,
                measured=meter.take(units),
            )


class FrameCutter:
    """Cuts a stream of MP3 frames into chunks of MP3.

    A chunk begins with a few frames of the one before, without which its first ones could not be decoded. The frame
    that states the length of the whole stream is left out.
    """

    def __init__(self, limits: ChunkLimits) -> None:
        self._scanner = FrameScanner()
        self._limits = limits
        self._has_begun = False
        self._preroll = 0
        self._start_bytes = 0
        self._start_frames = 0

    @property
    def rest(self) -> bytes | None:
        """The bytes from where a stream of another kind begins; None up to there."""
        return self._scanner.rest

    @property
    def seconds(self) -> float:
        """The length of all frames so far."""
        return (self._start_frames - self._preroll + len(self._scanner.levels)) * self._scanner.frame_seconds

    def take_lost(self) -> list[Span]:
        """Remove and return where bytes were not frames, and for about how long they would have played."""
        lost, self._scanner.lost = self._scanner.lost, []
        seconds = self._scanner.frame_seconds
        seconds_a_byte = self._start_frames * seconds / max(1, self._start_bytes)
        return [Span(frame * seconds, frame * seconds + size_bytes * seconds_a_byte) for frame, size_bytes in lost]

    def feed(self, block: bytes) -> Iterator[Chunk]:
        """Take more bytes; the chunks that they complete."""
        self._scanner.feed(block)
        yield from self._chunks(at_end=False)

    def finish(self) -> Iterator[Chunk]:
        """The chunks of the rest."""
        self._scanner.finish()
        yield from self._chunks(at_end=True)

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        scanner, seconds = self._scanner, self._scanner.frame_seconds
        self._leave_out_length()
        while len(scanner.levels) > self._preroll:
            preroll = self._preroll
            pending = PendingUnits(
                len(scanner.levels) - preroll,
                seconds,
                bisect_right(scanner.ends, self._limits.max_bytes) - preroll,
                lambda first, last: scanner.decibels(preroll + first, preroll + last),  # noqa: B023 # called at once
            )
            frames = next_cut(pending, self._limits, at_end=at_end)
            if frames is None:
                return
            measured = Loudness(scanner.decibels(0, preroll + frames), seconds)
            is_last = preroll + frames == len(scanner.levels)
            self._preroll = 0 if is_last else scanner.preroll(preroll + frames)
            taken = scanner.take(preroll + frames, keep=self._preroll)
            start = self._start_frames
            self._start_frames += frames
            self._start_bytes += sum(map(len, taken))
            yield mp3_chunk(
                taken,
                Span(start * seconds, self._start_frames * seconds),
                preroll_seconds=preroll * seconds,
                measured=measured,
            )

    def _leave_out_length(self) -> None:
        """Drop the stream's first frame if it holds no sound, but the length of the whole stream."""
        first = self._scanner.first
        if first is not None and self._scanner.levels and not self._has_begun:
            self._has_begun = True
            if mp3.states_length(self._scanner.first_frame, 0, first):
                self._scanner.take(1, keep=0)


def mp3_chunk(
    blocks: Sequence[bytes], span: Span, *, preroll_seconds: float, measured: Loudness | None = None
) -> Chunk:
    """The chunk whose MP3 frames are in `blocks`."""
    return Chunk(
        span=span,
        container=Container.MP3,
        payload=BytesPayload(blocks),
        preroll_seconds=preroll_seconds,
        measured=measured,
    )


def wav_chunk(
    blocks: Sequence[bytes],
    *,
    start_bytes: int,
    sample_rate_hz: int,
    channels: int,
    measured: Loudness | None = None,
) -> Chunk:
    """The chunk whose samples are in `blocks`, `start_bytes` after the first sample of the recording."""
    bytes_per_second = SAMPLE_BYTES * channels * sample_rate_hz
    data_bytes = sum(map(len, blocks))
    layout = wav.WavLayout(
        is_plain=True,
        channels=channels,
        sample_rate_hz=sample_rate_hz,
        bytes_per_second=bytes_per_second,
        data_start=wav.PLAIN_HEADER_BYTES,
        data_bytes=data_bytes,
    )
    return Chunk(
        span=Span(start_bytes / bytes_per_second, (start_bytes + data_bytes) / bytes_per_second),
        container=Container.WAV,
        payload=BytesPayload([wav.header(layout), *blocks]),
        layout=layout,
        measured=measured,
    )
