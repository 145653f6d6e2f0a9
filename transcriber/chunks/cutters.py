"""Cuts a recording into chunks while it arrives: samples between samples, MP3 between frames.

A chunk is decoded only where models would hear little of it as it is: it is quiet, or its sides cancel each other out.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import Final

from transcriber.audio import mp3, wav
from transcriber.audio.byte_blocks import ByteBlocks
from transcriber.audio.containers import Container
from transcriber.audio.decoding import Decoder
from transcriber.audio.headroom import (
    DECIBELS_OF_BIT,
    FINE_BITS,
    MAX_RAISE,
    QUIET_DECIBELS,
    peak_of,
    peak_of_blocks,
    raise_of,
    rounded,
    shifted,
)
from transcriber.audio.loudness import Loudness, LoudnessMeter
from transcriber.audio.mp3_frames import FrameScanner
from transcriber.audio.mp3_sides import sides_cancel
from transcriber.audio.pcm import SAMPLE_BYTES, samples_of
from transcriber.audio.sides import samples_cancel
from transcriber.chunks.chunk import BytesPayload, Chunk, PayloadSource
from transcriber.chunks.cut_points import ChunkLimits, PendingUnits, next_cut
from transcriber.deadline import Deadline
from transcriber.errors import UnsupportedAudioError
from transcriber.spans import Span

# The levels of a chunk that may be quiet, and whose peak is examined: a little over that of quiet sound, since levels
# leave out peaks, and, of MP3 frames, are 1 to 12 dB too high.
MAYBE_QUIET_DECIBELS: Final = QUIET_DECIBELS + 6.0


class SampleCutter:
    """Cuts 16-bit samples, channels interleaved, into chunks of WAV.

    Chunks that are quiet are raised. Of sides that cancel each other out, one sound is made.
    """

    def __init__(self, limits: ChunkLimits, *, sample_rate_hz: int, channels: int) -> None:
        self._limits = limits
        self._sample_rate_hz = sample_rate_hz
        self._channels = channels
        self._meter = LoudnessMeter(sample_rate_hz=sample_rate_hz, channels=channels)
        self._blocks = ByteBlocks()
        self._start_bytes = 0
        self._raised_bits = 0

    @property
    def seconds(self) -> float:
        """The length of all samples so far."""
        bytes_per_second = SAMPLE_BYTES * self._channels * self._sample_rate_hz
        return (self._start_bytes + len(self._blocks)) / bytes_per_second

    @property
    def is_quiet(self) -> bool:
        """Whether all samples that wait are quiet, so that they are raised."""
        return self._raised_bits > 0

    def feed(self, block: bytes) -> Iterator[Chunk]:
        """Take more samples, whole ones but for the last block; the chunks that they complete."""
        self._append(block[: len(block) // SAMPLE_BYTES * SAMPLE_BYTES])
        yield from self._chunks(at_end=False)

    def feed_fine(self, fine: "array[int]") -> Iterator[Chunk]:
        """Take more samples, of 32 bits, which are raised as long as they are quiet; the chunks that they complete."""
        self.append_fine(fine)
        start_bytes = self._start_bytes
        yield from self._chunks(at_end=False)
        if self._start_bytes > start_bytes and not self._raised_bits:
            self._raise(raise_of(peak_of_blocks(self._blocks)))

    def append_fine(self, fine: "array[int]") -> None:
        """The same, without making a chunk."""
        if not self._blocks:
            self._raised_bits = MAX_RAISE
        if self._raised_bits:
            self._raise(min(0, raise_of(peak_of(fine), bits=FINE_BITS) - self._raised_bits))
        self._append(rounded(fine, self._raised_bits))

    def finish(self) -> Iterator[Chunk]:
        """The chunks of the rest."""
        self._meter.finish()
        yield from self._chunks(at_end=True)

    def whole(self) -> Chunk | None:
        """The rest as one chunk; None where there is none."""
        self._meter.finish()
        return self._chunk(len(self._meter.peaks)) if self._meter.peaks else None

    def _append(self, block: bytes) -> None:
        self._blocks.append(block)
        self._meter.feed(samples_of(block))

    def _raise(self, bits: int) -> None:
        """Raise the samples that wait to be cut by `bits`; a negative number lowers them."""
        if bits:
            self._blocks.replace_each(lambda block: shifted(block, bits))
            self._meter.shift(bits)
            self._raised_bits += bits

    def _chunks(self, *, at_end: bool) -> Iterator[Chunk]:
        meter, unit_bytes = self._meter, self._meter.window_samples * SAMPLE_BYTES
        fitting = (self._limits.max_bytes - wav.PLAIN_HEADER_BYTES) // unit_bytes
        while meter.peaks:
            pending = PendingUnits(len(meter.peaks), meter.window_seconds, fitting, meter.decibels)
            units = next_cut(pending, self._limits, at_end=at_end)
            if units is None:
                return
            yield self._chunk(units)

    def _chunk(self, units: int) -> Chunk:
        """The next chunk, of this number of windows."""
        meter, start = self._meter, self._start_bytes
        taken = self._blocks.take(units * meter.window_samples * SAMPLE_BYTES)
        self._start_bytes += sum(map(len, taken))
        peaks = meter.peaks[:units] if self._channels > 1 else None
        measured = meter.take(units)
        as_chunk = partial(
            wav_chunk,
            taken,
            start_bytes=start,
            sample_rate_hz=self._sample_rate_hz,
            channels=self._channels,
        )
        if peaks is not None and samples_cancel(
            taken, peaks, window_samples=meter.window_samples, sample_rate_hz=self._sample_rate_hz
        ):
            return decoded(as_chunk(measured=measured))
        loudest = max(measured.decibels) - self._raised_bits * DECIBELS_OF_BIT
        if loudest < MAYBE_QUIET_DECIBELS and not measured.is_nothing:
            more_bits = raise_of(peak_of_blocks(taken), raised_bits=self._raised_bits)
            measured = measured.raised(more_bits * DECIBELS_OF_BIT)
            for number, block in enumerate(taken):  # one by one, so that no second chunk is in memory
                taken[number] = shifted(block, more_bits)
        return as_chunk(measured=measured)


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
            measured = Loudness(scanner.decibels(0, preroll + frames), seconds, is_rough=True)
            is_last = preroll + frames == len(scanner.levels)
            self._preroll = 0 if is_last else scanner.preroll(preroll + frames)
            ends, levels = scanner.ends[: preroll + frames], scanner.levels[: preroll + frames]
            taken = scanner.take(preroll + frames, keep=self._preroll)
            start = self._start_frames
            self._start_frames += frames
            self._start_bytes += sum(map(len, taken))
            chunk = mp3_chunk(
                taken,
                Span(start * seconds, self._start_frames * seconds),
                preroll_seconds=preroll * seconds,
                measured=measured,
            )
            if measured.held_decibels < MAYBE_QUIET_DECIBELS and not measured.is_nothing:
                chunk = decoded(chunk, if_raised=True)
            if chunk.layout is None and scanner.is_stereo and sides_cancel(taken, ends, levels):
                chunk = decoded(chunk)
            yield chunk

    def _leave_out_length(self) -> None:
        """Drop the stream's first frame if it holds no sound, but the length of the whole stream."""
        first = self._scanner.first
        if first is not None and self._scanner.levels and not self._has_begun:
            self._has_begun = True
            if mp3.states_length(self._scanner.first_frame, 0, first):
                self._scanner.take(1, keep=0)


def decoded(chunk: Chunk, *, if_raised: bool = False) -> Chunk:
    """The chunk as WAV with one sound, raised if it is quiet; with `if_raised`, the same chunk where it is not.

    A chunk that cannot be decoded stays as it is.
    """
    try:
        with Decoder(PayloadSource(chunk.payload), demuxer=chunk.container.value, name=chunk.container.name) as decoder:
            cutter = SampleCutter(ChunkLimits(inf), sample_rate_hz=decoder.sample_rate_hz, channels=1)
            left_out = round(chunk.preroll_seconds * decoder.sample_rate_hz)
            for fine in decoder.samples(max_seconds=inf, deadline=Deadline(inf), bits=FINE_BITS):
                cutter.append_fine(fine[left_out:])
                left_out = max(0, left_out - len(fine))
    except UnsupportedAudioError:
        return chunk
    is_raised, made = cutter.is_quiet, cutter.whole()
    if made is None or (if_raised and not is_raised):
        return chunk
    return replace(made, span=chunk.span, warnings=chunk.warnings)


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
