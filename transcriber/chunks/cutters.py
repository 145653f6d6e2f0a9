"""Cuts what a recording holds into chunks as it comes: samples between samples, MP3 between frames. Never decodes."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from transcriber.audio import mp3, wav
from transcriber.audio.containers import Container
from transcriber.audio.loudness import Loudness, LoudnessMeter
from transcriber.audio.mp3_frames import FrameScanner
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.chunks.cut_points import ChunkLimits, PendingUnits, next_cut
from transcriber.spans import Span

SAMPLE_BYTES = 2


def samples_of(block: bytes | memoryview) -> "array[int]":
    """The samples in `block`, but for what is left over of one."""
    samples = array("h")
    samples.frombytes(memoryview(block)[: len(block) // SAMPLE_BYTES * SAMPLE_BYTES])
    return samples


class SampleCutter:
    """Cuts samples, 16 bits each and channels interleaved, into chunks of WAV."""

    def __init__(self, plan: ChunkLimits, *, sample_rate_hz: int, channels: int) -> None:
        self._plan = plan
        self._rate = sample_rate_hz
        self._channels = channels
        self._meter = LoudnessMeter(sample_rate_hz=sample_rate_hz, channels=channels)
        self._data = bytearray()
        self._start_bytes = 0

    @property
    def seconds(self) -> float:
        """How long all samples play that were fed so far."""
        return (self._start_bytes + len(self._data)) / (SAMPLE_BYTES * self._channels * self._rate)

    def feed(self, block: bytes | memoryview) -> Iterator[Chunk]:
        """Take more samples, whole ones but for the last block; the chunks that they complete."""
        samples = samples_of(block)
        self._data += memoryview(samples).cast("B")
        self._meter.feed(samples)
        yield from self._chunks(at_end=False)

    def finish(self) -> Iterator[Chunk]:
        """The chunks of what is left."""
        self._meter.finish()
        yield from self._chunks(at_end=True)

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        meter, unit_bytes = self._meter, self._meter.window_samples * SAMPLE_BYTES
        fitting = (self._plan.max_bytes - wav.PLAIN_HEADER_BYTES) // unit_bytes
        while meter.peaks:
            waiting = PendingUnits(len(meter.peaks), meter.window_seconds, fitting, meter.decibels)
            units = next_cut(waiting, self._plan, at_end=at_end)
            if units is None:
                return
            start, size = self._start_bytes, units * unit_bytes
            taken, self._data = self._data, self._data[size:]
            del taken[size:]
            self._start_bytes += len(taken)
            yield _wav_chunk(self._rate, self._channels, start, taken, meter.take(units))


class FrameCutter:
    """Cuts a stream of MP3 frames into chunks of MP3.

    A chunk begins with a few frames of the one before, without which its first ones could not be decoded. The frame
    that states the length of the whole stream is left out.
    """

    def __init__(self, plan: ChunkLimits) -> None:
        self.scanner = FrameScanner()
        self._plan = plan
        self._has_begun = False
        self._preroll = 0
        self._start_bytes = 0
        self._start_frames = 0

    @property
    def lost(self) -> list[Span]:
        """Where bytes were no frames, and for about how long they would have played."""
        seconds = self.scanner.frame_seconds
        seconds_a_byte = self._start_frames * seconds / max(1, self._start_bytes)
        spans = [(frame * seconds, size_bytes * seconds_a_byte) for frame, size_bytes in self.scanner.lost]
        return [Span(start, start + lost) for start, lost in spans]

    def feed(self, block: bytes) -> Iterator[Chunk]:
        """Take more bytes; the chunks that they complete."""
        self.scanner.feed(block)
        yield from self._chunks(at_end=False)

    def finish(self) -> Iterator[Chunk]:
        """The chunks of what is left."""
        self.scanner.finish()
        yield from self._chunks(at_end=True)

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        scanner, seconds = self.scanner, self.scanner.frame_seconds
        self._leave_out_length()
        while len(scanner.levels) > self._preroll:
            lead = self._preroll
            fitting = bisect_right(scanner.ends, self._plan.max_bytes) - lead
            waiting = PendingUnits(
                len(scanner.levels) - lead,
                seconds,
                fitting,
                lambda a, b: scanner.decibels(lead + a, lead + b),  # noqa: B023 # called at once
            )
            frames = next_cut(waiting, self._plan, at_end=at_end)
            if frames is None:
                return
            levels = Loudness(scanner.decibels(0, lead + frames), seconds)
            self._preroll = scanner.lead(lead + frames) if lead + frames < len(scanner.levels) else 0
            data = scanner.take(lead + frames, keep=self._preroll)
            start = self._start_frames
            self._start_frames += frames
            self._start_bytes += len(data)
            yield Chunk(
                span=Span(start * seconds, self._start_frames * seconds),
                container=Container.MP3,
                body=BytesPayload(b"", data),
                preroll_seconds=lead * seconds,
                levels=levels,
            )

    def _leave_out_length(self) -> None:
        """Drop the stream's first frame if it holds no sound, but the length of the whole stream."""
        first = self.scanner.first
        if first is not None and self.scanner.levels and not self._has_begun:
            self._has_begun = True
            if mp3.states_length(self.scanner.data, 0, first):
                self.scanner.take(1, keep=0)


def samples_within(data: bytes, layout: wav.WavLayout, within: Span) -> Chunk:
    """The samples of a whole WAV file that lie `within`, in seconds from the first sample."""
    frame_bytes = SAMPLE_BYTES * layout.channels
    sound = data[layout.data_start :]
    start, end = (
        min(len(sound), round(max(0.0, seconds) * layout.sample_rate_hz) * frame_bytes)
        for seconds in (within.start_seconds, within.end_seconds)
    )
    return _wav_chunk(layout.sample_rate_hz, layout.channels, start, sound[start:end], None)


def frames_within(data: bytes, within: Span) -> Chunk:
    """The frames of a whole MP3 stream that lie `within`, in seconds from the first frame."""
    scanner = FrameScanner()
    scanner.feed(data)
    scanner.finish()
    seconds = scanner.frame_seconds
    first = min(int(within.start_seconds / seconds), len(scanner.levels) - 1)
    last = min(max(first, math.ceil(within.end_seconds / seconds)), len(scanner.levels))
    lead = scanner.lead(first) if first else 0
    if first > lead:
        scanner.take(first - lead, keep=0)
    taken = scanner.take(last - first + lead, keep=0)
    return Chunk(
        Span(first * seconds, last * seconds), Container.MP3, BytesPayload(b"", taken), preroll_seconds=lead * seconds
    )


def _wav_chunk(
    sample_rate_hz: int, channels: int, start_bytes: int, data: bytes | bytearray, levels: Loudness | None
) -> Chunk:
    bytes_per_second = SAMPLE_BYTES * channels * sample_rate_hz
    layout = wav.WavLayout(
        is_plain=True,
        channels=channels,
        sample_rate_hz=sample_rate_hz,
        bytes_per_second=bytes_per_second,
        data_start=wav.PLAIN_HEADER_BYTES,
        data_bytes=len(data),
    )
    return Chunk(
        span=Span(start_bytes / bytes_per_second, (start_bytes + len(data)) / bytes_per_second),
        container=Container.WAV,
        body=BytesPayload(wav.header(layout), data),
        layout=layout,
        levels=levels,
    )
