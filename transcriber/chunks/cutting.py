"""Makes chunks of a recording, each of which one call of the API takes.

A recording is read once and in order, whatever its length, and of it only what makes up the next chunk is held. What
the APIs take is cut without decoding; all else is decoded first. What fits into one chunk as it is, and can be read
again, is not even held, but sent while it arrives.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from transcriber.audio import wav
from transcriber.audio.containers import Container
from transcriber.audio.decoding import Decoder
from transcriber.audio.identify import Audio, DecodedAudio, PassThroughAudio, check_duration
from transcriber.audio.loudness import Loudness, LoudnessMeter
from transcriber.audio.mp3_frames import FrameScanner
from transcriber.chunks.chunk import Chunk, Payload, SourcePayload
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import FrameCutter, SampleCutter, frames_within, samples_of, samples_within
from transcriber.deadline import Deadline
from transcriber.sources.base import Reader, Source
from transcriber.spans import Span, clock_time

# Less than what musl's allocator, and so the platform's, asks the system for anew each time: a quarter less CPU than
# with larger ones.
READ_BYTES = 64 * 1024
# How much of a recording's beginning is listened to before it is sent as it arrives: two seconds and more.
HEARD_BYTES = 64 * 1024

# A header that is wrong by less than this is wrong by a frame or a tag, and no word is missing.
NOTICEABLE_SECONDS = 0.5
MAX_DAMAGES_NAMED = 10
# What is lost is told of from here on.
SYLLABLE_SECONDS = 0.1


@dataclass(frozen=True)
class CutOptions:
    """How to cut a recording: where cuts are due, how long it may play, and until when all of it has to be read.

    With `hold`, a chunk's sound may be wanted more than once, and is not left to be fetched again. `warn` hears of what
    could not be read.
    """

    plan: ChunkLimits
    max_seconds: float
    deadline: Deadline
    warn: Callable[[str], None]
    hold: bool = False


def cut(audio: Audio, order: CutOptions) -> Iterator[Chunk]:
    """The chunks of `audio`, in order, each made when it is asked for.

    `UnsupportedAudioError` where there are no samples; `AudioTooLargeError` as soon as there are more than the limit,
    whatever was announced.
    """
    seconds = 0.0
    for chunk in _cut_encoded(audio, order) if isinstance(audio, DecodedAudio) else _cut_plain(audio, order):
        seconds = chunk.span.end_seconds
        check_duration(seconds, max_seconds=order.max_seconds)
        yield chunk
    check_duration(seconds, max_seconds=order.max_seconds)


def can_pass_through(audio: PassThroughAudio, plan: ChunkLimits) -> bool:
    """Whether `audio` can be sent while it arrives, all of it in one chunk, and begins with sound."""
    source, seconds, layout = audio.source, audio.duration_seconds, audio.layout
    if source.size_bytes is None or seconds is None or not source.can_be_read_again:
        return False
    if source.size_bytes > plan.max_bytes or seconds > plan.longest_seconds:
        return False
    if isinstance(layout, wav.WavLayout) and not layout.is_right(source.size_bytes):
        return False
    start = layout.data_start if isinstance(layout, wav.WavLayout) else layout.frames_start
    head = source.peek(start + HEARD_BYTES)[start:]
    return not _levels_of(head, layout if isinstance(layout, wav.WavLayout) else None).is_silent


def is_silent(chunk: Chunk) -> bool:
    """Whether there is no sound in the chunk, so that nothing can be said in it."""
    levels = chunk.levels
    if levels is None or levels.is_silent or chunk.layout is not None:
        return levels is not None and levels.is_silent
    # Frames tell roughly how loud they are, and steady noise varies in them; then the samples decide.
    return levels.may_be_silent and _decoded_levels(chunk).is_silent


def listen(chunk: Chunk) -> Loudness:
    """How loud the chunk is from moment to moment; read from its bytes where cutting it has not told."""
    if chunk.levels is not None:
        return chunk.levels
    with chunk.body.open() as reader:
        reader.skip(0 if chunk.layout is None else chunk.layout.data_start)
        return _levels_of(reader.read_fully(chunk.body.size_bytes), chunk.layout)


def split(chunk: Chunk) -> tuple[Chunk, ...]:
    """The chunk as two or more, cut where it is quietest around its middle."""
    plan = ChunkLimits(chunk.duration_seconds / 2, chunk.body.size_bytes)
    cutter = _cutter(chunk.layout, plan)
    with chunk.body.open() as reader:
        pieces = tuple(_cut_reading(reader, cutter, chunk.layout))
    offset = chunk.span.start_seconds - chunk.preroll_seconds
    moved = [
        replace(piece, span=Span(offset + piece.span.start_seconds, offset + piece.span.end_seconds))
        for piece in pieces
    ]
    if moved:
        first = Span(chunk.span.start_seconds, moved[0].span.end_seconds)
        moved[0] = replace(moved[0], span=first, preroll_seconds=chunk.preroll_seconds)
    return tuple(moved)


def part_of(chunk: Chunk, within: Span) -> Chunk:
    """The part of the chunk that lies `within`, in seconds from its first byte."""
    with chunk.body.open() as reader:
        data = reader.read_fully(chunk.body.size_bytes)
    part = frames_within(data, within) if chunk.layout is None else samples_within(data, chunk.layout, within)
    offset = chunk.span.start_seconds - chunk.preroll_seconds
    return replace(part, span=Span(offset + part.span.start_seconds, offset + part.span.end_seconds))


def _cut_plain(audio: PassThroughAudio, order: CutOptions) -> Iterator[Chunk]:
    layout = audio.layout if isinstance(audio.layout, wav.WavLayout) else None
    if layout is not None:
        _warn_of_rest(audio.source, layout, order.warn)
    if not order.hold and can_pass_through(audio, order.plan):
        span = Span(0.0, audio.duration_seconds or 0.0)
        yield Chunk(span, audio.container, SourcePayload(audio.source), layout)
    elif layout is not None and layout.bytes_per_second * order.plan.longest_seconds > order.plan.max_bytes:
        # Many bytes for what a model hears: decoded to its rate, it goes out in a quarter of them, for less CPU.
        with Decoder(audio.source, demuxer=Container.WAV.value, name="WAV") as decoder:
            yield from _cut_decoded(decoder, order)
    else:
        cutter = _cutter(layout, order.plan)
        with audio.source.open() as reader:
            if isinstance(cutter, FrameCutter) and not isinstance(audio.layout, wav.WavLayout):
                reader.skip(audio.layout.frames_start)
            yield from _cut_reading(reader, cutter, layout)
        if isinstance(cutter, FrameCutter):
            _warn_of_lost_frames(cutter, order.warn)
    _warn_of_missing(audio.missing_seconds, audio.duration_seconds or 0.0, order.warn)


def _cut_encoded(audio: DecodedAudio, order: CutOptions) -> Iterator[Chunk]:
    stated_seconds, seconds = audio.duration_seconds, 0.0
    with audio.decoder as decoder:
        if audio.wav_layout is not None:
            _warn_of_rest(audio.source, audio.wav_layout, order.warn)
        for chunk in _cut_decoded(decoder, order):
            seconds = chunk.span.end_seconds
            yield chunk
    if stated_seconds is not None:
        _warn_of_missing(stated_seconds - seconds, seconds, order.warn)


def _cut_decoded(decoder: Decoder, order: CutOptions) -> Iterator[Chunk]:
    if decoder.tracks > 1:
        tracks = f"{decoder.tracks} tracks of sound"
        order.warn(f"The file has {tracks}; only the first is transcribed. Send the others by themselves.")
    cutter = SampleCutter(order.plan, sample_rate_hz=decoder.sample_rate_hz, channels=1)
    for samples in decoder.samples(max_seconds=order.max_seconds, deadline=order.deadline):
        yield from cutter.feed(memoryview(samples).cast("B"))
    yield from cutter.finish()
    damage = [span for span in decoder.damage if span.duration_seconds >= SYLLABLE_SECONDS]
    for span in damage[:MAX_DAMAGES_NAMED]:
        start, end = clock_time(span.start_seconds), clock_time(math.ceil(span.end_seconds))
        order.warn(f"The file is damaged between {start} and {end}; what is said there may be missing.")
    if len(damage) > MAX_DAMAGES_NAMED:
        order.warn(
            f"The file is damaged in {len(decoder.damage)} places, of which the first {MAX_DAMAGES_NAMED} are named."
        )


def _cutter(layout: wav.WavLayout | None, plan: ChunkLimits) -> SampleCutter | FrameCutter:
    """What cuts a WAV file with `layout`, or else MP3."""
    if layout is None:
        return FrameCutter(plan)
    return SampleCutter(plan, sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)


def _cut_reading(reader: Reader, cutter: SampleCutter | FrameCutter, layout: wav.WavLayout | None) -> Iterator[Chunk]:
    """The chunks of what `reader` gives: all of it, or the samples of a WAV file."""
    left = None if layout is None else layout.data_bytes
    if layout is not None:
        reader.skip(layout.data_start)
    while block := reader.read_fully(READ_BYTES if left is None else min(READ_BYTES, left)):
        left = None if left is None else left - len(block)
        yield from cutter.feed(block)
    yield from cutter.finish()


def _warn_of_lost_frames(cutter: FrameCutter, warn: Callable[[str], None]) -> None:
    for span in cutter.lost:
        seconds = span.duration_seconds
        if seconds >= NOTICEABLE_SECONDS:
            at = clock_time(span.start_seconds)
            warn(f"The file is damaged: at {at}, about {seconds:.1f} s cannot be read; what is said there is missing.")


def _warn_of_missing(missing_seconds: float, there_seconds: float, warn: Callable[[str], None]) -> None:
    if missing_seconds > NOTICEABLE_SECONDS:
        stated = f"{there_seconds + missing_seconds:.1f} s"
        warn(f"The file is cut off: its header says {stated}, and {there_seconds:.1f} s are there.")


def _warn_of_rest(source: Source, layout: wav.WavLayout, warn: Callable[[str], None]) -> None:
    """Tell of what seems to be sound after the end that a WAV file's header states, if that can be looked at."""
    if source.size_bytes is None or layout.data_bytes is None or not source.can_be_read_again:
        return
    seconds = layout.rest_seconds(source.size_bytes)
    if seconds < NOTICEABLE_SECONDS:
        return
    with source.open(layout.data_start + layout.data_bytes + layout.data_bytes % 2) as reader:
        head = reader.read_fully(wav.MIN_HEADER_BYTES)
    if wav.is_wav(head):
        warn("Behind the end of the recording another one begins, which is not transcribed: send each by itself.")
    elif not wav.may_follow_samples(head):
        rest = f"{seconds:.1f} s after the end that its header states"
        warn(f"The file goes on for {rest}; what is said there is missing. Save it anew, with a right header.")


def _decoded_levels(chunk: Chunk) -> Loudness:
    with Decoder(_BodySource(chunk.body), demuxer=chunk.container.value, name="MP3") as decoder:
        meter = LoudnessMeter(sample_rate_hz=decoder.sample_rate_hz, channels=1)
        for samples in decoder.samples(max_seconds=float("inf"), deadline=Deadline(float("inf"))):
            meter.feed(samples)
        meter.finish()
        return meter.take(len(meter.peaks))


class _BodySource(Source):
    """A chunk's bytes as a source of their own."""

    kind: ClassVar[str] = "chunk"

    def __init__(self, body: Payload) -> None:
        super().__init__(max_bytes=body.size_bytes)
        self.size_bytes = body.size_bytes
        self._body = body

    def _connect(self, start: int) -> Reader:
        reader = self._body.open()
        reader.skip(start)
        return reader


def _levels_of(data: bytes, layout: wav.WavLayout | None) -> Loudness:
    """How loud frames of MP3 are, or the samples of a WAV file with `layout`."""
    if layout is None:
        scanner = FrameScanner()
        scanner.feed(data)
        scanner.finish()
        return Loudness(scanner.decibels(0, len(scanner.levels)), scanner.frame_seconds)
    meter = LoudnessMeter(sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    meter.feed(samples_of(data))
    meter.finish()
    return meter.take(len(meter.peaks))
