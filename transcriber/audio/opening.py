"""Opens the container in a source with FFmpeg, through PyAV, and finds what follows it in the same source."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from transcriber.audio.allocation_limit import limit_allocations
from transcriber.audio.first_file import FirstFile
from transcriber.audio.joined import FileSearch
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

        limit_allocations()
        self.demuxer = demuxer
        self.wav_layout = (wav_layout or read_header(source)) if demuxer == "wav" else None
        options = LATE_PROBE if late else {}
        if self.wav_layout is not None:
            options = {"ignore_length": "1"}
            if self.wav_layout.raw_demuxer is not None:
                demuxer, options = self.wav_layout.raw_demuxer, _raw_options(self.wav_layout)
                source = SourceFrom(source, self.wav_layout.data_start)
                self.wav_layout = replace(self.wav_layout, data_start=0, raw_demuxer=None)
        self.source = source
        file = open_as_file(source, has_index=demuxer in INDEXED_DEMUXERS)
        if self.wav_layout is None:
            self._file = FirstFile(file, demuxer, size_bytes=source.size_bytes)
        else:
            self._file = WavFile(file, self.wav_layout, source.size_bytes)
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
        except BaseException:
            self._file.close()
            raise

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

    def next_source(self, position: int) -> Source | int:
        """The source from where another file begins, at `position` or later; else how many bytes there are unknown."""
        if self._file.end is not None:
            return self.source_from(self._file.end)
        source = self.source
        if not source.can_be_read_again:
            _, reader = self._file.detach_from(position)
            search = FileSearch(reader)
            if search.found is None:
                return search.unknown_bytes
            return RestOfReading(search.found[1], reader, max_bytes=source.max_bytes)
        if source.size_bytes is not None and position >= source.size_bytes:
            return 0
        with source.open(position) as reader:
            search = FileSearch(reader)
        return search.unknown_bytes if search.found is None else SourceFrom(source, position + search.found[0])

    def is_past(self, position: int) -> bool:
        """Whether `position` of a source that can be read once is about to be forgotten."""
        return not self.source.can_be_read_again and self._file.tell() - position > READ_BYTES

    def close(self) -> None:
        """Close the container, and the source's connection."""
        self.container.close()
        self._file.close()


def _raw_options(layout: WavLayout) -> dict[str, str]:
    return {"sample_rate": str(layout.sample_rate_hz), "ch_layout": f"{layout.channels}C"}


def with_advice(message: str, source: Source) -> str:
    """The message, with advice about an index at the end that could not be read first."""
    if source.can_be_read_again:
        return message
    return (
        f"{message} Or its index is at its end, and its server neither says which version it sends nor sends parts; "
        "save it with the index at the beginning (faststart), or send it from somewhere else."
    )
