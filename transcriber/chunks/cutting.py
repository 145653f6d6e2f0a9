"""Cuts a recording into chunks.

A recording is read once and in order, whatever its length, and only the next chunk of it is held. WAV and MP3 that the
APIs take are cut without decoding; everything else is decoded first. A recording that fits one chunk and can be read
again is not even held, but sent while it arrives.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from transcriber.audio import wav
from transcriber.audio.containers import Container
from transcriber.audio.decoding import Decoder
from transcriber.audio.identify import Audio, DecodedAudio, PassThroughAudio, check_duration
from transcriber.audio.loudness import sample_loudness
from transcriber.audio.mp3_frames import frame_loudness
from transcriber.chunks.chunk import BytesPayload, Chunk, SourcePayload
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import FrameCutter, SampleCutter
from transcriber.chunks.damage import DamageWarnings, decoding_damage, lost_frames, missing_end, rest_after_end
from transcriber.deadline import Deadline
from transcriber.sources.base import Source
from transcriber.spans import Span

# To be raised with every change that moves a cut, changes which chunks are silent, or changes the level or the bytes of
# what is sent: parts of recordings are named by it.
CUTS_VERSION: Final = 1
# Less than what musl's allocator, and so the platform's, requests from the system anew each time: a quarter less CPU
# than with larger blocks.
READ_BYTES = 64 * 1024
# The part of a recording's beginning whose loudness is measured before it is sent as it arrives: two seconds and more.
MEASURED_BYTES = 64 * 1024


@dataclass(frozen=True)
class CutOptions:
    """How to cut a recording: where cuts are due, how long it may play, and until when all of it has to be read.

    With `keep_loudness`, each chunk's loudness has to be at hand afterwards, so that no chunk is sent while it arrives.
    """

    limits: ChunkLimits
    max_seconds: float
    deadline: Deadline
    keep_loudness: bool = False


def cut(audio: Audio, options: CutOptions) -> Generator[Chunk, None, None]:
    """The chunks of `audio`, in order, each made when it is needed.

    `UnsupportedAudioError` where there are no samples; `AudioTooLargeError` as soon as there are more than the limit,
    whatever the header states.
    """
    seconds = 0.0
    for chunk in _cut_decoded_audio(audio, options) if isinstance(audio, DecodedAudio) else _cut_plain(audio, options):
        seconds = chunk.span.end_seconds
        check_duration(seconds, max_seconds=options.max_seconds)
        yield chunk
    check_duration(seconds, max_seconds=options.max_seconds)


def can_pass_through(audio: PassThroughAudio, limits: ChunkLimits) -> bool:
    """Whether `audio` can be sent while it arrives: it fits one chunk, can be read again, and begins with sound."""
    source, seconds, layout = audio.source, audio.duration_seconds, audio.layout
    if source.size_bytes is None or seconds is None or not source.can_be_read_again:
        return False
    if source.size_bytes > limits.max_bytes or seconds > limits.longest_seconds:
        return False
    if isinstance(layout, wav.WavLayout):
        if not layout.is_right(source.size_bytes):
            return False
        head = source.peek(layout.data_start + MEASURED_BYTES)[layout.data_start :]
        loudness = sample_loudness(head, sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    else:
        if not layout.is_right(source.size_bytes):
            return False
        loudness = frame_loudness(source.peek(layout.frames_start + MEASURED_BYTES)[layout.frames_start :])
    return not loudness.is_silent


def _cut_plain(audio: PassThroughAudio, options: CutOptions) -> Iterator[Chunk]:
    layout = audio.layout
    if can_pass_through(audio, options.limits):
        span = Span(0.0, audio.duration_seconds or 0.0)
        wav_layout = layout if isinstance(layout, wav.WavLayout) else None
        warnings = (*_rest_warnings(audio, wav_layout), *missing_end(audio.missing_seconds, span.end_seconds))
        # Held or not, it is the same chunk: what came of it serves requests for times and for text alike.
        payload = _held(audio.source) if options.keep_loudness else SourcePayload(audio.source)
        yield Chunk(span, audio.container, payload, wav_layout, warnings=warnings)
    elif not isinstance(layout, wav.WavLayout):
        yield from _cut_frames(audio, layout.frames_start, options)
    elif layout.bytes_per_second * options.limits.longest_seconds > options.limits.max_bytes:
        # Many bytes for what a model hears: decoded to its rate, it is sent in a quarter of them, for less CPU.
        with Decoder(audio.source, demuxer=Container.WAV.value, name="WAV") as decoder:
            yield from _cut_samples_of(
                decoder, options, _rest_warnings(audio, layout, is_decoded=True), audio.missing_seconds
            )
    else:
        yield from _cut_samples(audio, layout, options)


def _held(source: Source) -> BytesPayload:
    with source.open() as reader:
        return BytesPayload(tuple(iter(partial(reader.read_fully, READ_BYTES), b"")))


def _cut_decoded_audio(audio: DecodedAudio, options: CutOptions) -> Iterator[Chunk]:
    with audio.decoder as decoder:
        yield from _cut_samples_of(decoder, options, _rest_warnings(audio, audio.wav_layout, is_decoded=True), None)


def _cut_samples(audio: PassThroughAudio, layout: wav.WavLayout, options: CutOptions) -> Iterator[Chunk]:
    """The chunks of a WAV file, cut between samples."""
    warnings: tuple[str, ...] = _rest_warnings(audio, layout)
    cutter = SampleCutter(options.limits, sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    with audio.source.open() as reader:
        reader.skip(layout.data_start)
        left = layout.data_bytes
        while block := reader.read_fully(READ_BYTES if left is None else min(READ_BYTES, left)):
            left = None if left is None else left - len(block)
            for chunk in cutter.feed(block):
                yield replace(chunk, warnings=warnings)
                warnings = ()
        for chunk, is_last in _marking_last(cutter.finish()):
            ends = missing_end(audio.missing_seconds, audio.duration_seconds or 0.0) if is_last else ()
            yield replace(chunk, warnings=(*warnings, *ends))
            warnings = ()


def _cut_frames(audio: PassThroughAudio, frames_start: int, options: CutOptions) -> Iterator[Chunk]:
    """The chunks of an MP3 stream, cut between frames."""
    damage = DamageWarnings(lost_frames)
    cutter = FrameCutter(options.limits)
    with audio.source.open() as reader:
        reader.skip(frames_start)
        while block := reader.read_fully(READ_BYTES):
            for chunk in cutter.feed(block):
                yield replace(chunk, warnings=damage.within(chunk.span, cutter.take_lost()))
        for chunk, is_last in _marking_last(cutter.finish()):
            warnings = damage.within(chunk.span, cutter.take_lost())
            if is_last:
                ends = missing_end(audio.missing_seconds, audio.duration_seconds or 0.0)
                warnings = (*warnings, *damage.rest(), *ends)
            yield replace(chunk, warnings=warnings)


def _cut_samples_of(
    decoder: Decoder, options: CutOptions, warnings: tuple[str, ...], missing_seconds: float | None
) -> Iterator[Chunk]:
    """The chunks of decoded samples; `missing_seconds` None follows from the length that the file states."""
    if decoder.track.warning is not None:
        warnings = (*warnings, decoder.track.warning)
    damage = DamageWarnings(decoding_damage)
    cutter = SampleCutter(options.limits, sample_rate_hz=decoder.sample_rate_hz, channels=1)
    for samples in decoder.samples(max_seconds=options.max_seconds, deadline=options.deadline):
        for chunk in cutter.feed(samples.tobytes()):
            begun = decoder.take_damage(before_seconds=chunk.span.end_seconds)
            yield replace(chunk, warnings=(*warnings, *damage.within(chunk.span, begun)))
            warnings = ()
    for chunk, is_last in _marking_last(cutter.finish()):
        begun = decoder.take_damage(before_seconds=float("inf") if is_last else chunk.span.end_seconds)
        found = damage.within(chunk.span, begun)
        if is_last:
            seconds = chunk.span.end_seconds
            missing = decoder.stated_seconds - seconds if missing_seconds is None else missing_seconds
            found = (*found, *damage.rest(), *missing_end(missing, seconds))
        yield replace(chunk, warnings=(*warnings, *found))
        warnings = ()


def _marking_last(chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bool]]:
    """The chunks, each with whether it is the last one; what is missing at the end of a recording belongs there."""
    waiting = next(chunks, None)
    while waiting is not None:
        following = next(chunks, None)
        yield waiting, following is None
        waiting = following


def _rest_warnings(audio: Audio, layout: wav.WavLayout | None, *, is_decoded: bool = False) -> tuple[str, ...]:
    return () if layout is None else rest_after_end(audio.source, layout, is_decoded=is_decoded)
