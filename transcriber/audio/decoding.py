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
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import TYPE_CHECKING, Self

from transcriber.audio.pcm import SAMPLE_RATES_HZ
from transcriber.audio.resampling import Resampler
from transcriber.deadline import Deadline
from transcriber.errors import AudioTooLargeError, SourceTimeoutError, UnsupportedAudioError
from transcriber.sources.base import Source
from transcriber.sources.seekable_file import open_as_file
from transcriber.spans import Span

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet

SAMPLE_RATE_HZ = 16_000

# Time stamps of real files are off by up to a packet; a longer gap is time without sound, and times after it would be
# early.
LONGEST_WAVER_SECONDS = 0.2
# A gap this long is reported, in case there was sound in it; shorter ones come from recorders that leave silence out.
LONG_GAP_SECONDS = 0.5
# Failures that are closer together are reported as one.
ONE_DAMAGE_SECONDS = 5.0

# The container that may have its index at the end.
INDEXED_DEMUXERS = frozenset({"mov"})
# These are frames without a container. FFmpeg estimates their length from the rate of the first ones, several times too
# long or too short where silence takes fewer bytes than speech.
DEMUXERS_WITHOUT_LENGTH = frozenset({"aac", "ac3", "amr", "mp3"})
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

    `UnsupportedAudioError` where there is none that can be decoded. `name` is the format's, for messages.
    """

    def __init__(self, source: Source, *, demuxer: str, name: str) -> None:
        import av  # noqa: PLC0415 # 24 MiB, and 0.1 s of CPU at a cold start; WAV and MP3 do not need it

        self._name = name
        self._demuxer = demuxer
        self._source = source
        self._file = open_as_file(source, has_index=demuxer in INDEXED_DEMUXERS)
        try:
            self._container = av.open(
                self._file,
                mode="r",
                format=demuxer,
                # No further file and no address is opened, whatever the container refers to.
                options={"protocol_whitelist": "none"},
                metadata_errors="ignore",
                buffer_size=READ_BYTES,
            )
        except (av.FFmpegError, ValueError) as error:
            self._file.close()
            message = f"The source holds {name} that cannot be read: it is damaged, or cut off."
            raise UnsupportedAudioError(_with_advice(message, source)) from error
        self._damage: list[Span] = []
        try:
            self._stream = self._audio_stream()
        except UnsupportedAudioError:
            self.close()
            raise

    def _audio_stream(self) -> "AudioStream":
        streams = self._container.streams
        if not streams.audio:
            kind = "a video without sound" if streams.video else "no sound"
            raise UnsupportedAudioError(f"The source holds {self._name}, and in it {kind}.")
        self.tracks = len(streams.audio)
        stream = streams.audio[0]
        codec = stream.codec_context
        if codec is None or not codec.sample_rate:
            raise UnsupportedAudioError(f"The source holds {self._name}, with sound that cannot be decoded.")
        codec.thread_count = 1
        if codec.sample_rate not in SAMPLE_RATES_HZ:
            raise UnsupportedAudioError(
                f"The source holds {self._name}, with an impossible sample rate: it is damaged."
            )
        self.sample_rate_hz = min(SAMPLE_RATE_HZ, int(codec.sample_rate))
        return stream

    @property
    def duration_seconds(self) -> float | None:
        """The length that the container states; None when it states none."""
        if self._demuxer in DEMUXERS_WITHOUT_LENGTH:
            return None
        stream = self._stream
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return None if self._container.duration is None else self._container.duration / 1_000_000

    def samples(self, *, max_seconds: float, deadline: Deadline) -> "Iterator[array[int]]":
        """All samples, in order, with silence where there is a gap.

        `AudioTooLargeError` when they play longer than `max_seconds`, whatever the container states.
        """
        import av  # noqa: PLC0415 # imported already, when this was made

        timeline = _Timeline(self._damage)
        resampler = Resampler(self.sample_rate_hz)
        for packet in self._packets():
            if deadline.has_passed():
                raise SourceTimeoutError(f"The audio was not decoded within {deadline.limit}.")
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                timeline.note_failure()
                continue
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
        yield from resampler.rest()
        timeline.finish()
        if not timeline.seconds:
            message = f"The source holds {self._name}, with no samples that can be decoded."
            raise UnsupportedAudioError(_with_advice(message, self._source))

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

        try:
            yield from self._container.demux(self._stream)
        except (av.FFmpegError, ValueError):
            return

    def close(self) -> None:
        """Close the decoder and the source's connection."""
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Timeline:
    """The times of the decoded frames, and what is missing between them; damage is appended to `damage`."""

    def __init__(self, damage: list[Span]) -> None:
        self.seconds = 0.0  # the length of frames and gaps so far
        self._damage = damage
        self._first_seconds: float | None = None
        self._failed_at: float | None = None

    def note_failure(self) -> None:
        """Note a packet that could not be decoded."""
        self._failed_at = self.seconds if self._failed_at is None else self._failed_at

    def has_gap_before(self, frame: "AudioFrame") -> bool:
        """Whether there is time without sound before `frame`, by its time stamp; if so, it is counted."""
        frame_seconds = frame.time  # computed at each access
        if frame_seconds is None:
            return False
        self._first_seconds = frame_seconds if self._first_seconds is None else self._first_seconds
        gap_seconds = frame_seconds - self._first_seconds - self.seconds
        if gap_seconds <= (0 if self._failed_at is not None else LONGEST_WAVER_SECONDS):
            return False
        if gap_seconds >= LONG_GAP_SECONDS and self._failed_at is None:
            self._failed_at = self.seconds
        self.seconds += gap_seconds
        return True

    def take(self, frame: "AudioFrame") -> None:
        """Count a frame; damage before it ends here."""
        self.finish()
        self.seconds += frame.samples / frame.sample_rate

    def finish(self) -> None:
        """Note the damage that ends here, if there is any."""
        if self._failed_at is None:
            return
        start, self._failed_at = self._failed_at, None
        if self._damage and start - self._damage[-1].end_seconds < ONE_DAMAGE_SECONDS:
            start = self._damage.pop().start_seconds
        self._damage.append(Span(start, self.seconds))


def _with_advice(message: str, source: Source) -> str:
    """The message, with advice about an index at the end that could not be read first."""
    if source.can_be_read_again:
        return message
    return (
        f"{message} Or its index is at its end, and its server neither says which version it sends nor sends parts; "
        "save it with the index at the beginning (faststart), or send it from somewhere else."
    )
