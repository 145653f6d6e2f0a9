"""Decodes audio that the APIs do not take to samples that they do: 16 kHz, mono, 16 bits.

The samples are sent as WAV, by measurement. For an hour of m4a, decoding and resampling take some 3 CPU seconds;
encoding the samples as MP3 again would take 30 more, and the APIs do not take FLAC. A function has a fifth of a CPU and
a fast network: an hour of samples, 115 MB, is sent within seconds. The models work at 16 kHz and in mono, so nothing is
lost that they would use; a recording with a lower rate keeps it.

The decoder is FFmpeg's, through PyAV. It reads the source and nothing else, with the one demuxer that the first bytes
require.
"""

from array import array
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Self

from transcriber.audio.containers import SIGNATURE_BYTES, sniff
from transcriber.audio.opening import LATE_DEMUXERS, OpenFile, with_advice
from transcriber.audio.pcm import SAMPLE_BITS, SAMPLE_RATES_HZ
from transcriber.audio.progress import Progress
from transcriber.audio.resampling import Resampler
from transcriber.audio.stated_length import DEMUXERS_WITHOUT_LENGTH_OF_TRACKS, stated_length
from transcriber.audio.stated_size import stated_size_bytes
from transcriber.audio.timeline import Timeline
from transcriber.audio.tracks import Track, TrackChoice, decodable, no_such_track, with_sound
from transcriber.audio.wav import WavLayout
from transcriber.deadline import Deadline
from transcriber.errors import AudioTooLargeError, SourceTimeoutError, UnsupportedAudioError
from transcriber.sources.base import Source
from transcriber.spans import Span

SAMPLE_RATE_HZ = 16_000

# Damage that hides a syllable or two at the end of a file is not worth another warning.
SHORTEST_UNREAD_SECONDS = 0.5


def decoder_version() -> str:
    """The version of the decoder, which decides samples and so where a recording is cut; without importing it."""
    try:
        return version("av")
    except PackageNotFoundError:
        return ""


class Decoder:
    """The audio in a source whose first bytes require `demuxer`; close it.

    `UnsupportedAudioError` where there is none that can be decoded. `name` is the format's, for messages; `track` is
    the number of a track, from 0; None chooses one. Of "all", this decodes the first, and names `further_tracks`.
    """

    def __init__(
        self,
        source: Source,
        *,
        demuxer: str,
        name: str,
        wav_layout: WavLayout | None = None,
        track: Track = None,
    ) -> None:
        self._name = name
        self._damage: list[Span] = []
        self._stated_bytes = stated_size_bytes(source.peek(SIGNATURE_BYTES))
        self._bytes_before = 0
        self.further_tracks: list[int] = []
        self._file = OpenFile(source, demuxer, name, wav_layout=wav_layout)
        try:
            self._choose_track(track)
            self._first_file = self._file
        except UnsupportedAudioError:
            self.close()
            raise

    def _reopen(self, *, late: bool = False) -> None:
        """Open the file again, from its start."""
        self._file.close()
        file = self._file
        self._file = OpenFile(file.source, file.demuxer, self._name, wav_layout=file.wav_layout, late=late)

    def _choose_track(self, track: Track) -> None:
        can_be_read_again = self._file.source.can_be_read_again
        if not self._file.streams and self._file.demuxer in LATE_DEMUXERS and can_be_read_again:
            self._reopen(late=True)
        streams = self._file.streams
        if not streams:
            kind = "a video without sound" if self._file.container.streams.video else "no sound"
            raise UnsupportedAudioError(f"The source holds {self._name}, and in it {kind}.")
        count = len(streams)
        if isinstance(track, int) and track >= count:
            raise UnsupportedAudioError(no_such_track(track, count))
        numbers = [number for number in decodable(streams) if not isinstance(track, int) or number == track]
        if not numbers:
            raise UnsupportedAudioError(self._why_undecodable())
        number = numbers[0]
        if track == "all" and len(numbers) > 1 and can_be_read_again:
            number, *self.further_tracks = sorted(numbers)
        elif len(numbers) > 1 and can_be_read_again:
            number = with_sound(self._file.container, numbers)
            self._reopen()
        # A choice of the client's has no warning.
        self.track = TrackChoice(number, 1 if isinstance(track, int) else count, is_single=not self.further_tracks)
        self._use(number)
        self.sample_rate_hz = min(SAMPLE_RATE_HZ, int(self._stream.codec_context.sample_rate))

    def of_track(self, number: int) -> "Decoder":
        """A decoder of one of the `further_tracks`."""
        file = self._first_file
        decoder = Decoder(file.source, demuxer=file.demuxer, name=self._name, wav_layout=file.wav_layout, track=number)
        decoder.track = replace(decoder.track, is_single=False)
        return decoder

    def _use(self, number: int) -> None:
        self._stream = self._file.streams[number]
        self._stream.codec_context.thread_count = 1
        self._progress = Progress(self._file, self._stream)

    def _why_undecodable(self) -> str:
        if any(stream.codec_context is not None and stream.codec_context.sample_rate for stream in self._file.streams):
            return f"The source holds {self._name}, with an impossible sample rate: it is damaged."
        return f"The source holds {self._name}, with sound that cannot be decoded."

    @property
    def duration_seconds(self) -> float | None:
        """The length that the container states, as far as its bytes bear it out; None when it states none."""
        file = self._file
        if file.wav_layout is not None:
            return file.wav_layout.duration_seconds(file.source.size_bytes)
        return stated_length(file.container, self._stream, file.demuxer, file.source.size_bytes)

    @property
    def stated_seconds(self) -> float:
        """The length that its sound should have; 0 where none is stated for the sound alone."""
        size_bytes, layout = self._file.source.size_bytes, self._file.wav_layout
        if layout is not None:
            return (layout.data_bytes or 0) / layout.bytes_per_second
        is_cut_off = size_bytes is not None and self._stated_bytes is not None and size_bytes < self._stated_bytes
        is_of_track = self._stream.duration is not None and self._file.demuxer not in DEMUXERS_WITHOUT_LENGTH_OF_TRACKS
        if not is_of_track and not is_cut_off:
            return 0.0  # the length of its pictures, too
        return self.duration_seconds or 0.0

    def samples(self, *, max_seconds: float, deadline: Deadline, bits: int = SAMPLE_BITS) -> "Iterator[array[int]]":
        """All samples, in order, of 16 or 32 `bits`, with silence where there is a gap.

        `AudioTooLargeError` when they play longer than `max_seconds`, whatever the container states.
        """
        timeline = Timeline(self._damage)
        resampler = Resampler(self.sample_rate_hz, bits=bits)
        while True:
            start = self._file.container.start_time
            timeline.begin(None if start is None or timeline.seconds else start / 1_000_000)
            yield from self._samples_of_file(timeline, resampler, max_seconds=max_seconds, deadline=deadline)
            if not self._open_next(timeline):
                break
        yield from resampler.rest()
        timeline.finish()
        if not timeline.seconds:
            message = f"The source holds {self._name}, with no samples that can be decoded."
            raise UnsupportedAudioError(with_advice(message, self._file.source))

    def _samples_of_file(
        self, timeline: Timeline, resampler: Resampler, *, max_seconds: float, deadline: Deadline
    ) -> "Iterator[array[int]]":
        import av  # noqa: PLC0415 # imported already, when this was made

        progress = self._progress
        for packet in progress.packets():
            if deadline.has_passed():
                raise SourceTimeoutError(f"The audio was not decoded within {deadline.limit}.")
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                timeline.note_failure()
                progress.note_failed()
                continue
            if frames:
                progress.note_decoded(packet)
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
        progress = self._progress
        if not progress.end_bytes:
            if self._bytes_before:
                timeline.note_unread(None)  # a file was joined, of which nothing could be decoded
            return False
        rest = progress.rest()
        read_bytes = self._bytes_before + progress.end_bytes
        rest_bytes = rest.size_bytes if isinstance(rest, Source) else rest
        rest_seconds = None if rest_bytes is None else rest_bytes * timeline.seconds / read_bytes
        may_be_short = isinstance(rest, Source) and not progress.is_of_stream  # in another codec, it may be long
        if rest_seconds is not None and rest_seconds <= SHORTEST_UNREAD_SECONDS and not may_be_short:
            return False
        if isinstance(rest, Source) and self._open_rest(rest):
            self._bytes_before = read_bytes
            return True
        if progress.broke_off or isinstance(rest, Source):
            timeline.note_unread(rest_seconds)
        return False

    def _open_rest(self, source: Source) -> bool:
        demuxer = sniff(source.peek(SIGNATURE_BYTES)).demuxer or self._file.demuxer
        try:
            file = OpenFile(source, demuxer, self._name)
        except UnsupportedAudioError:
            return False
        numbers = decodable(file.streams)
        if not numbers:
            file.close()
            return False
        self._file.close()
        self._file = file
        self._use(self.track.number if self.track.number in numbers else numbers[0])
        return True

    def take_damage(self, *, before_seconds: float) -> list[Span]:
        """Remove and return the spans, found so far, with sound that could not be decoded and that begin before a time.

        Later ones stay: decoding is ahead of the chunks, and what fails next may be one damage with them.
        """
        taken = [span for span in self._damage if span.start_seconds < before_seconds]
        del self._damage[: len(taken)]
        return taken

    def close(self) -> None:
        """Close the decoder and the source's connection."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
