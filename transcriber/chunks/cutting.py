"""Cuts a recording into chunks.

A recording is read once and in order, whatever its length, and only the next chunk of it is held. WAV and MP3 that the
APIs take are cut without decoding; everything else is decoded first. A recording that fits one chunk and can be read
again is not even held, but sent while it arrives.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Final, TypeAlias

from transcriber.audio import mp3, wav
from transcriber.audio.containers import Container
from transcriber.audio.decoding import Decoder
from transcriber.audio.headroom import FINE_BITS
from transcriber.audio.identify import Audio, DecodedAudio, PassThroughAudio, check_duration, identify
from transcriber.audio.wav_end import Following, following
from transcriber.chunks.chunk import BytesPayload, Chunk, SourcePayload
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import FrameCutter, SampleCutter
from transcriber.chunks.damage import DamageWarnings, decoding_damage, lost_frames, missing_end, unreadable_file
from transcriber.chunks.pass_through import can_pass_through
from transcriber.deadline import Deadline
from transcriber.errors import UnsupportedAudioError
from transcriber.sources.base import Reader, Source
from transcriber.sources.part import RestOfReading, SourceFrom
from transcriber.spans import Span

# To be raised with every change that moves a cut, changes which chunks are silent, or changes the level or the bytes of
# what is sent: parts of recordings are named by it.
CUTS_VERSION: Final = 3
# Less than what musl's allocator, and so the platform's, requests from the system anew each time: a quarter less CPU
# than with larger blocks.
READ_BYTES = 64 * 1024
# The loudness of longer frames does not show pauses between words: they are decoded, which takes 0.6 CPU seconds for an
# hour. Those of MPEG-2.5, at 8 to 12 kHz, are such.
LONGEST_FRAME_SECONDS = 0.04


@dataclass(frozen=True)
class CutOptions:
    """How to cut a recording: where cuts are due, how long it may play, and until when all of it has to be read.

    With `keep_loudness`, each chunk's loudness has to be at hand afterwards, so that no chunk is sent while it arrives.
    """

    limits: ChunkLimits
    max_seconds: float
    deadline: Deadline
    keep_loudness: bool = False


# The chunks of one file, and the file that was joined to it, if there is one and it can be read.
FileChunks: TypeAlias = Generator[Chunk, None, Audio | None]


def cut(audio: Audio, options: CutOptions) -> Generator[Chunk, None, None]:
    """The chunks of `audio`, in order, each made when it is needed.

    `UnsupportedAudioError` where there are no samples; `AudioTooLargeError` as soon as there are more than the limit,
    whatever the header states.
    """
    seconds = 0.0
    following_audio: Audio | None = audio
    while following_audio is not None:
        if isinstance(following_audio, DecodedAudio):
            chunks = _cut_decoded_audio(following_audio, options, seconds)
        else:
            chunks = _cut_plain(following_audio, options, seconds)
        seconds, following_audio = yield from _checked(chunks, options, seconds)
    check_duration(seconds, max_seconds=options.max_seconds)


def _checked(
    chunks: FileChunks, options: CutOptions, start_seconds: float
) -> Generator[Chunk, None, tuple[float, Audio | None]]:
    """The chunks of a file that begins `start_seconds` after the recording; where it ends, and what follows it."""
    end_seconds = start_seconds
    while True:
        try:
            chunk = next(chunks)
        except StopIteration as end:
            return end_seconds, end.value
        chunk = replace(chunk, span=chunk.span.moved(start_seconds)) if start_seconds else chunk
        end_seconds = chunk.span.end_seconds
        check_duration(end_seconds, max_seconds=options.max_seconds)
        yield chunk


def _cut_plain(audio: PassThroughAudio, options: CutOptions, start_seconds: float) -> FileChunks:
    layout = audio.layout
    if can_pass_through(audio, options.limits):
        span = Span(0.0, audio.duration_seconds or 0.0)
        wav_layout = layout if isinstance(layout, wav.WavLayout) else None
        # Held or not, it is the same chunk: what came of it serves requests for times and for text alike.
        payload = _held(audio.source) if options.keep_loudness else SourcePayload(audio.source)
        warnings = missing_end(audio.missing_seconds, span.end_seconds)
        yield Chunk(span, audio.container, payload, wav_layout, warnings=warnings)
        return None
    if isinstance(layout, mp3.Mp3Layout) and layout.frame_seconds > LONGEST_FRAME_SECONDS:
        with Decoder(audio.source, demuxer=Container.MP3.value, name="MP3") as decoder:
            yield from _cut_samples_of(decoder, options, start_seconds, audio.missing_seconds)
            return None
    if not isinstance(layout, wav.WavLayout):
        return (yield from _cut_frames(audio, layout.frames_start, options, start_seconds))
    if layout.bytes_per_second * options.limits.longest_seconds > options.limits.max_bytes:
        # Many bytes for what a model hears: decoded to its rate, it is sent in a quarter of them, for less CPU.
        with Decoder(audio.source, demuxer=Container.WAV.value, name="WAV", wav_layout=layout) as decoder:
            yield from _cut_samples_of(decoder, options, start_seconds, audio.missing_seconds)
            return None
    return (yield from _cut_samples(audio, layout, options, start_seconds))


def _held(source: Source) -> BytesPayload:
    with source.open() as reader:
        return BytesPayload(tuple(iter(partial(reader.read_fully, READ_BYTES), b"")))


def _cut_decoded_audio(audio: DecodedAudio, options: CutOptions, start_seconds: float) -> FileChunks:
    numbers = audio.decoder.further_tracks
    end_seconds = 0.0
    for decoder in chain([audio.decoder], (audio.decoder.of_track(number) for number in numbers)):
        own_start_seconds, heading = end_seconds, decoder.track.heading
        with decoder:
            for chunk in _cut_samples_of(decoder, options, start_seconds + own_start_seconds, None):
                span = chunk.span.moved(own_start_seconds)
                yield replace(chunk, span=span, heading=heading)
                end_seconds, heading = span.end_seconds, ""
    return None


def _cut_samples(
    audio: PassThroughAudio, layout: wav.WavLayout, options: CutOptions, start_seconds: float
) -> FileChunks:
    """The chunks of a WAV file, cut between samples."""
    cutter = SampleCutter(options.limits, sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    with ExitStack() as opened:
        reader = opened.enter_context(audio.source.open())
        reader.skip(layout.data_start)
        left = layout.data_bytes
        while block := reader.read_fully(READ_BYTES if left is None else min(READ_BYTES, left)):
            left = None if left is None else left - len(block)
            yield from cutter.feed(block)
            if left == 0:
                size_bytes, end = audio.source.size_bytes, layout.data_start + (layout.data_bytes or 0)
                left_bytes = None if size_bytes is None else size_bytes - end
                found, head, position = following(reader.read_fully, reader.skip, left_bytes, layout)
                if found is Following.SAMPLES:
                    left = None  # the header was wrong
                    yield from cutter.feed(head)
                elif found is Following.FILE:
                    rest = _rest(audio.source, end + position, head, reader, opened)
                    return (yield from _then(cutter.finish(), rest, options, start_seconds + cutter.seconds))
        for chunk, is_last in _marking_last(cutter.finish()):
            ends = missing_end(audio.missing_seconds, audio.duration_seconds or 0.0) if is_last else ()
            yield replace(chunk, warnings=ends)
    return None


def _cut_frames(audio: PassThroughAudio, frames_start: int, options: CutOptions, start_seconds: float) -> FileChunks:
    """The chunks of an MP3 stream, cut between frames."""
    damage = DamageWarnings(lost_frames, start_seconds=start_seconds)
    cutter = FrameCutter(options.limits)
    with ExitStack() as opened:
        reader = opened.enter_context(audio.source.open())
        reader.skip(frames_start)
        position = frames_start
        while cutter.rest is None and (block := reader.read_fully(READ_BYTES)):
            position += len(block)
            for chunk in cutter.feed(block):
                yield _with_damage(chunk, damage, cutter.take_lost(), start_seconds)
        if cutter.rest is not None:
            rest = _rest(audio.source, position - len(cutter.rest), cutter.rest, reader, opened)
            last = (_with_damage(chunk, damage, cutter.take_lost(), start_seconds) for chunk in cutter.finish())
            return (yield from _then(last, rest, options, start_seconds + cutter.seconds))
        for chunk, is_last in _marking_last(cutter.finish()):
            named = _with_damage(chunk, damage, cutter.take_lost(), start_seconds)
            if is_last:
                ends = missing_end(audio.missing_seconds, audio.duration_seconds or 0.0)
                named = replace(named, warnings=(*named.warnings, *damage.rest(), *ends))
            yield named
    return None


def _with_damage(chunk: Chunk, damage: DamageWarnings, found: list[Span], start_seconds: float) -> Chunk:
    return replace(chunk, warnings=damage.within(chunk.span.moved(start_seconds), found))


def _rest(source: Source, position: int, head: bytes, reader: Reader, opened: ExitStack) -> Source:
    """The source from `position` on, of which `head` was read; a source that can be read once goes on being read."""
    if source.can_be_read_again:
        return SourceFrom(source, position)
    opened.pop_all()
    return RestOfReading(head, reader, max_bytes=source.max_bytes)


def _then(chunks: Iterator[Chunk], rest: Source, options: CutOptions, at_seconds: float) -> FileChunks:
    """The last `chunks` of a file, and the file in `rest`, which begins at `at_seconds`; a warning if it is none."""
    audio: Audio | None = None
    warnings: tuple[str, ...] = ()
    try:
        audio = identify(rest, max_seconds=options.max_seconds)
    except UnsupportedAudioError as error:
        warnings = (unreadable_file(at_seconds, error.message),)
    for chunk, is_last in _marking_last(chunks):
        yield replace(chunk, warnings=(*chunk.warnings, *warnings)) if is_last else chunk
    return audio


def _cut_samples_of(
    decoder: Decoder, options: CutOptions, start_seconds: float, missing_seconds: float | None
) -> Iterator[Chunk]:
    """The chunks of decoded samples; `missing_seconds` None follows from the length that the file states."""
    warnings: tuple[str, ...] = () if decoder.track.warning is None else (decoder.track.warning,)
    damage = DamageWarnings(decoding_damage, start_seconds=start_seconds)
    cutter = SampleCutter(options.limits, sample_rate_hz=decoder.sample_rate_hz, channels=1)
    left_seconds = options.max_seconds - start_seconds
    for fine in decoder.samples(max_seconds=left_seconds, deadline=options.deadline, bits=FINE_BITS):
        for chunk in cutter.feed_fine(fine):
            begun = decoder.take_damage(before_seconds=chunk.span.end_seconds)
            yield replace(chunk, warnings=(*warnings, *damage.within(chunk.span.moved(start_seconds), begun)))
            warnings = ()
    for chunk, is_last in _marking_last(cutter.finish()):
        begun = decoder.take_damage(before_seconds=float("inf") if is_last else chunk.span.end_seconds)
        found = damage.within(chunk.span.moved(start_seconds), begun)
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
        after = next(chunks, None)
        yield waiting, after is None
        waiting = after
