"""Makes smaller chunks of one chunk: its halves, or a slice of it."""

import math
from dataclasses import replace

from transcriber.audio.mp3_frames import FrameScanner
from transcriber.audio.pcm import SAMPLE_BYTES
from transcriber.audio.wav import WavLayout
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import FrameCutter, SampleCutter, mp3_chunk, wav_chunk
from transcriber.spans import Span


def split(chunk: Chunk) -> tuple[Chunk, ...]:
    """The chunk as two or more chunks, cut where it is quietest around its middle."""
    limits = ChunkLimits(chunk.duration_seconds / 2, chunk.payload.size_bytes)
    data, layout = _data_of(chunk), chunk.layout
    cutter: SampleCutter | FrameCutter
    if layout is None:
        cutter = FrameCutter(limits)
    else:
        cutter = SampleCutter(limits, sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    halves = [_placed(half, chunk) for half in (*cutter.feed(data), *cutter.finish())]
    if halves:
        # The preroll is not said to be in the span of the first half either; and warnings are not lost.
        first = Span(chunk.span.start_seconds, halves[0].span.end_seconds)
        halves[0] = replace(halves[0], span=first, preroll_seconds=chunk.preroll_seconds, warnings=chunk.warnings)
    return tuple(halves)


def slice_chunk(chunk: Chunk, within: Span) -> Chunk:
    """The part of the chunk that lies `within`, in seconds from its first byte."""
    data, layout = _data_of(chunk), chunk.layout
    return _placed(_slice_frames(data, within) if layout is None else _slice_samples(data, layout, within), chunk)


def _placed(part: Chunk, whole: Chunk) -> Chunk:
    """`part`, whose span is in seconds from the first byte of `whole`, with its span in the recording."""
    return replace(part, span=part.span.moved(whole.origin_seconds))


def _data_of(chunk: Chunk) -> bytes:
    """The frames of the chunk, or the samples without the header."""
    with chunk.payload.open() as reader:
        reader.skip(0 if chunk.layout is None else chunk.layout.data_start)
        return reader.read_fully(chunk.payload.size_bytes)


def _slice_samples(samples: bytes, layout: WavLayout, within: Span) -> Chunk:
    frame_bytes = SAMPLE_BYTES * layout.channels
    start, end = (
        min(len(samples), round(max(0.0, seconds) * layout.sample_rate_hz) * frame_bytes)
        for seconds in (within.start_seconds, within.end_seconds)
    )
    return wav_chunk(
        [samples[start:end]],
        start_bytes=start,
        sample_rate_hz=layout.sample_rate_hz,
        channels=layout.channels,
    )


def _slice_frames(frames: bytes, within: Span) -> Chunk:
    scanner = FrameScanner()
    scanner.feed(frames)
    scanner.finish()
    seconds = scanner.frame_seconds
    first = min(int(within.start_seconds / seconds), len(scanner.levels) - 1)
    last = min(max(first, math.ceil(within.end_seconds / seconds)), len(scanner.levels))
    preroll = scanner.preroll(first) if first else 0
    if first > preroll:
        scanner.take(first - preroll, keep=0)
    taken = scanner.take(last - first + preroll, keep=0)
    return mp3_chunk(taken, Span(first * seconds, last * seconds), preroll_seconds=preroll * seconds)
