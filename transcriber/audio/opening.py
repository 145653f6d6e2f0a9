"""Opens the container in a source with FFmpeg, through PyAV, and finds what follows it in the same source."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from transcriber.audio.first_file import FirstFile
from transcriber.audio.joined import find_file
from transcriber.audio.stated_length import INDEXED_DEMUXERS
from transcriber.audio.wav import WavLayout
from transcriber.audio.wav_end import WavFile, read_header
from transcriber.errors import UnsupportedAudioError
from transcriber.sources.base import Source
from transcriber.sources.part import RestOfReading, SourceFrom
from transcriber.sources.seekable_file import open_as_file

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

# These are read from any byte on: what follows a change of tracks is opened anew there.
STREAM_DEMUXERS = frozenset({"mpegts", "mpeg"})
# Their tracks may appear late; a second attempt looks at this much for them.
LATE_DEMUXERS = frozenset({*STREAM_DEMUXERS, "flv"})
LATE_PROBE = {"probesize": str(16 * 1024 * 1024), "analyzeduration": str(120 * 1_000_000)}
# The bytes that FFmpeg reads at a time.
READ_BYTES = 64 * 1024


class OpenFile:
    """The first file in `source`, open for `demuxer`; close it.

    `UnsupportedAudioError` where it cannot be read. `name` is the format's, for messages.
    """

    def __init__(
        self, source: Source, demuxer: str, name: str, *, wav_layout: WavLayout | None = None, late: bool = False
    ) -> None:
        import av  # noqa: PLC0415 # 24 MiB, and 0.1 s of CPU at a cold start; WAV and MP3 do not need it

        self.source = source
        self.demuxer = demuxer
        self.name = name
        if demuxer == "wav":
            self.wav_layout: WavLayout | None = wav_layout or read_header(source)
        else:
            self.wav_layout = None
        file = open_as_file(source, has_index=demuxer in INDEXED_DEMUXERS)
        options = LATE_PROBE if late else {}
        if self.wav_layout is None:
            self._file = FirstFile(file, demuxer)
        else:
            self._file, options = WavFile(file, self.wav_layout, source.size_bytes), {"ignore_length": "1"}
        try:
            self.container = av.open(
                self._file,
                mode="r",
                format=demuxer,
                # No further file and no address is opened, whatever the container refers to.
                options={"protocol_whitelist": "none", **options},
                metadata_errors="ignore",
                buffer_size=READ_BYTES,
            )
        except (av.FFmpegError, ValueError) as error:
            self._file.close()
            message = f"The source holds {name} that cannot be read: it is damaged, or cut off."
            raise UnsupportedAudioError(with_advice(message, source)) from error

    @property
    def streams(self) -> "Sequence[AudioStream]":
        """The tracks with sound."""
        return self.container.streams.audio

    def source_from(self, position: int) -> Source:
        """The source from `position` on; this file is at its end then. A source that can be read once goes on."""
        if self.source.can_be_read_again:
            return SourceFrom(self.source, position)
        _, reader = self._file.detach_from(position)
        return RestOfReading(b"", reader, max_bytes=self.source.max_bytes)

    def next_source(self, position: int) -> Source | None:
        """The source from where another file begins, at `position` or later; None where none does."""
        if self._file.end is not None:
            return self.source_from(self._file.end)
        if self.source.can_be_read_again:
            size_bytes = self.source.size_bytes
            if size_bytes is not None and position >= size_bytes:
                return None
            with self.source.open(position) as reader:
                found = find_file(reader)
            return None if found is None else SourceFrom(self.source, position + found[0])
        _, reader = self._file.detach_from(position)
        found = find_file(reader)
        return None if found is None else RestOfReading(found[1], reader, max_bytes=self.source.max_bytes)

    def close(self) -> None:
        """Close the container, and the source's connection."""
        self.container.close()
        self._file.close()


def with_advice(message: str, source: Source) -> str:
    """The message, with advice about an index at the end that could not be read first."""
    if source.can_be_read_again:
        return message
    return (
        f"{message} Or its index is at its end, and its server neither says which version it sends nor sends parts; "
        "save it with the index at the beginning (faststart), or send it from somewhere else."
    )
