"""Decodes audio that the APIs do not take to samples that they do: 16 kHz, mono, 16 bits.

The samples are sent as WAV, by measurement. For an hour of m4a, decoding and resampling take some 3 CPU seconds;
encoding the samples as MP3 again would take 30 more, and the APIs do not take FLAC. A function has a fifth of a CPU and
a fast network: an hour of samples, 115 MB, is sent within seconds. The models work at 16 kHz and in mono, so nothing is
lost that they would use; a recording with a lower rate keeps it.

The decoder is FFmpeg's, through PyAV. It reads the source and nothing else, with the one demuxer that the first bytes
require.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import TYPE_CHECKING, Self

from transcriber.audio.adts import AdtsKind
from transcriber.audio.containers import SIGNATURE_BYTES, sniff
from transcriber.audio.first_file import FirstFile
from transcriber.audio.joined import SourceFrom, next_file
from transcriber.audio.pcm import SAMPLE_BITS, SAMPLE_RATES_HZ
from transcriber.audio.resampling import Resampler
from transcriber.audio.stated_length import INDEXED_DEMUXERS, stated_length
from transcriber.audio.stated_size import stated_size_bytes
from transcriber.audio.timeline import Timeline
from transcriber.audio.tracks import TrackChoice, decodable, with_sound
from transcriber.deadline import Deadline
from transcriber.errors import AudioTooLargeError, SourceTimeoutError, UnsupportedAudioError
from transcriber.sources.base import Source
from transcriber.sources.seekable_file import open_as_file
from transcriber.spans import Span

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

SAMPLE_RATE_HZ = 16_000

# These are read from any byte on: what follows a change of tracks is opened anew there.
STREAM_DEMUXERS = frozenset({"mpegts", "mpeg"})
# Their tracks may appear late; a second attempt looks at this much for them.
LATE_PROBE = {"probesize": str(16 * 1024 * 1024), "analyzeduration": str(120 * 1_000_000)}
# Damage that hides a syllable or two at the end of a file is not worth another warning.
SHORTEST_UNREAD_SECONDS = 0.5
# A container whose packets fail one after another is broken; each attempt passes over one.
MAX_FAILURES_IN_A_ROW = 50
# The bytes that FFmpeg reads at a time.
READ_BYTES = 64 * 1024


def decoder_version() -> str:
    """The version of the decoder, which decides samples and so where a recording is cut; without importing it."""
    try:
        return version("av")
    except PackageNotFoundError:
        return ""


class Decoder:
    """The audio in a source whose first bytes require `demuxer`; close it.

    `UnsupportedAudioError` where there is none that can be decoded. `name` is the format's, for messages; `track` is
    the number of a track, from 0, and None chooses one.
    """

    def __init__(self, source: Source, *, demuxer: str, name: str, track: int | None = None) -> None:
        self._name = name
        self._source = source
        self._damage: list[Span] = []
        self._opened = ExitStack()
        self._stated_bytes = stated_size_bytes(source.peek(SIGNATURE_BYTES))
        self._start = 0
        self._end_bytes = 0
        self._has_changed = False
        self._broke_off = False
        self._kind = AdtsKind()
        self._changed_at: int | None = None
        try:
            self._open(source, demuxer)
            self._choose_track(track)
        except UnsupportedAudioError:
            self.close()
            raise

    def _open(self, source: Source, demuxer: str, **options: str) -> None:
        """Open the container in `source`."""
        import av  # noqa: PLC0415 # 24 MiB, and 0.1 s of CPU at a cold start; WAV and MP3 do not need it

        self.close()
        self._demuxer = demuxer
        self._file = file = FirstFile(open_as_file(source, has_index=demuxer in INDEXED_DEMUXERS), demuxer)
        self._opened.callback(file.close)
        try:
            self._container = av.open(
                file,
                mode="r",
                format=demuxer,
                # No further file and no address is opened, whatever the container refers to.
                options={"protocol_whitelist": "none", **options},
                metadata_errors="ignore",
                buffer_size=READ_BYTES,
            )
        except (av.FFmpegError, ValueError) as error:
            message = f"The source holds {self._name} that cannot be read: it is damaged, or cut off."
            raise UnsupportedAudioError(_with_advice(message, self._source)) from error
        self._opened.callback(self._container.close)

    def _choose_track(self, track: int | None) -> None:
        source, streams = self._source, self._container.streams
        if not streams.audio and self._demuxer in {*STREAM_DEMUXERS, "flv"} and source.can_be_read_again:
            self._open(source, self._demuxer, **LATE_PROBE)
            streams = self._container.streams
        if not streams.audio:
            kind = "a video without sound" if streams.video else "no sound"
            raise UnsupportedAudioError(f"The source holds {self._name}, and in it {kind}.")
        count = len(streams.audio)
        if track is not None and track >= count:
            raise UnsupportedAudioError(
                f"The source has no track {track}: its {count} audio tracks have the numbers 0 to {count - 1}."
            )
        numbers = decodable(streams.audio) if track is None else [n for n in decodable(streams.audio) if n == track]
        if not numbers:
            raise UnsupportedAudioError(self._why_undecodable())
        number = numbers[0]
        if len(numbers) > 1 and source.can_be_read_again:
            number = with_sound(self._container, numbers)
            self._open(source, self._demuxer)
        # A choice of the client's has no warning.
        self.track = TrackChoice(number, count if track is None else 1)
        self._use(number)
        self.sample_rate_hz = min(SAMPLE_RATE_HZ, int(self._stream.codec_context.sample_rate))

    def _use(self, number: int) -> None:
        self._stream = self._container.streams.audio[number]
        self._stream.codec_context.thread_count = 1

    def _why_undecodable(self) -> str:
        if any(stream.codec_context is not None and stream.codec_context.sample_rate for stream in self._streams):
            return f"The source holds {self._name}, with an impossible sample rate: it is damaged."
        return f"The source holds {self._name}, with sound that cannot be decoded."

    @property
    def _streams(self) -> "Sequence[AudioStream]":
        return self._container.streams.audio

    @property
    def duration_seconds(self) -> float | None:
        """The length that the container states, as far as its bytes bear it out; None when it states none."""
        return stated_length(self._container, self._stream, self._demuxer, self._source.size_bytes)

    @property
    def stated_seconds(self) -> float:
        """The length that its sound should have; 0 where none is stated for the sound alone."""
        size_bytes = self._source.size_bytes
        is_cut_off = size_bytes is not None and self._stated_bytes is not None and size_bytes < self._stated_bytes
        if self._stream.duration is None and not is_cut_off:
            return 0.0  # the length of its pictures, too
        return self.duration_seconds or 0.0

    def samples(
        self, *, max_seconds: float, deadline: Deadline, bits: int = SAMPLE_BITS
    ) -> "Iterator[array[int]]":
        """All samples, in order, of 16 or 32 `bits`, with silence where there is a gap.

        `AudioTooLargeError` when they play longer than `max_seconds`, whatever the container states.
        """
        timeline = Timeline(self._damage)
        resampler = Resampler(self.sample_rate_hz, bits=bits)
        while True:
            start = self._container.start_time
            timeline.begin(None if start is None or self._start else start / 1_000_000)
            yield from self._samples_of_container(timeline, resampler, max_seconds=max_seconds, deadline=deadline)
            if not self._open_next(timeline):
                break
        yield from resampler.rest()
        timeline.finish()
        if not timeline.seconds:
            message = f"The source holds {self._name}, with no samples that can be decoded."
            raise UnsupportedAudioError(_with_advice(message, self._source))

    def _samples_of_container(
        self, timeline: Timeline, resampler: Resampler, *, max_seconds: float, deadline: Deadline
    ) -> "Iterator[array[int]]":
        import av  # noqa: PLC0415 # imported already, when this was made

        for packet in self._packets():
            if deadline.has_passed():
                raise SourceTimeoutError(f"The audio was not decoded within {deadline.limit}.")
            if self._demuxer == "aac" and packet.pos and self._kind.changes_with(bytes(memoryview(packet)[:4])):
                self._changed_at = self._start + packet.pos
                return
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                timeline.note_failure()
                self._has_changed = True
                continue
            if frames and packet.pos is not None:
                self._end_bytes = packet.pos + packet.size
                self._has_changed = False
            for frame in frames:
                if frame.sample_rate not in SAMPLE_RATES_HZ:
                    timeline.note_failure()
                    continue
                if timeline.has_gap_before(frame):
                    timeline.finish()  # the silence may complete the chunk in which this damage begins
                    yield from resampler.silence(timeline.seconds)
                timeline.take(frame)
                yield from resampler.resample(frame)
            if timeline.seconds > max_seconds:
                raise AudioTooLargeError(
                    f"The audio plays more than {max_seconds / 60:g} minutes, which is the limit (MAX_AUDIO_MINUTES)."
                )

    def _open_next(self, timeline: Timeline) -> bool:
        """Open the file that was joined to this one, or what follows a change of tracks; whether there is one."""
        end, size_bytes = self._start + self._end_bytes, self._source.size_bytes
        rest_seconds = 0.0
        if size_bytes is not None and self._end_bytes:
            rest_seconds = (size_bytes - end) * timeline.seconds / end
        start: int | None = None
        if self._source.can_be_read_again and self._end_bytes:
            if self._demuxer in STREAM_DEMUXERS:
                start = end if self._has_changed and rest_seconds > SHORTEST_UNREAD_SECONDS else None
            elif self._file.end is not None:
                start = self._start + self._file.end
            else:
                start = self._changed_at or next_file(self._source, end)
        if start is not None and self._open_at(start):
            return True
        if rest_seconds > SHORTEST_UNREAD_SECONDS and (start is not None or self._broke_off):
            timeline.note_unread(rest_seconds)
        return False

    def _open_at(self, start: int) -> bool:
        source = SourceFrom(self._source, start)
        demuxer = sniff(source.peek(SIGNATURE_BYTES)).demuxer or self._demuxer
        try:
            self._open(source, demuxer)
        except UnsupportedAudioError:
            return False
        numbers = decodable(self._streams)
        if not numbers:
            return False
        self._use(self.track.number if self.track.number in numbers else numbers[0])
        self._start, self._end_bytes, self._has_changed, self._broke_off = start, 0, False, False
        self._kind, self._changed_at = AdtsKind(), None
        return True

    def take_damage(self, *, before_seconds: float) -> list[Span]:
        """Remove and return the spans, found so far, with sound that could not be decoded and that begin before a time.

        Later ones stay: decoding is ahead of the chunks, and what fails next may be one damage with them.
        """
        taken = [span for span in self._damage if span.start_seconds < before_seconds]
        del self._damage[: len(taken)]
        return taken

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track, up to the end or to where the container cannot be read any further."""
        import av  # noqa: PLC0415 # imported already

        failures = 0
        while failures < MAX_FAILURES_IN_A_ROW:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    yield packet
            except av.EOFError:
                return
            except IndexError:
                self._has_changed = True  # a packet of a track that was not there at first
            except (av.FFmpegError, ValueError):
                failures += 1
            else:
                return
        self._broke_off = True

    def close(self) -> None:
        """Close the decoder and the source's connection."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _with_advice(message: str, source: Source) -> str:
    """The message, with advice about an index at the end that could not be read first."""
    if source.can_be_read_again:
        return message
    return (
        f"{message} Or its index is at its end, and its server neither says which version it sends nor sends parts; "
        "save it with the index at the beginning (faststart), or send it from somewhere else."
    )
