"""Reads the packets of an open file up to its end, and knows what follows that: nothing, a file, or another track."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from transcriber.audio import mp3
from transcriber.audio.adts import AdtsKind
from transcriber.audio.opening import STREAM_DEMUXERS, OpenFile
from transcriber.audio.streams import stream_start
from transcriber.sources.base import Source

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

# A container whose packets fail one after another is broken; each attempt passes over one.
MAX_FAILURES_IN_A_ROW: Final = 50
# The bytes of a frame's header (ADTS) that say of which kind it is.
_HEADER_BYTES: Final = 4


class Progress:
    """How far the track `stream` of `file` was read.

    `end_bytes` is the end of the last packet that was decoded, 0 before the first one; `broke_off` says that the
    container could not be read to its end.
    """

    def __init__(self, file: OpenFile, stream: "AudioStream") -> None:
        self.end_bytes = 0
        self.broke_off = False
        self._file = file
        self._stream = stream
        self._has_changed = False
        self._kind = AdtsKind()
        self._changed_at: int | None = None

    def packets(self) -> "Iterator[Packet[AudioStream]]":
        """The packets of the track, up to the end, or to where they go on with another codec, rate or channels."""
        import av  # noqa: PLC0415 # imported already, when the file was opened

        failures = 0
        while failures < MAX_FAILURES_IN_A_ROW:
            try:
                for packet in self._file.container.demux(self._stream):
                    failures = 0
                    if self._is_of_another_kind(packet):
                        self._changed_at = packet.pos
                        return
                    yield packet
                    if self._must_go_on_elsewhere:
                        return
            except av.EOFError:
                return
            except IndexError:
                self._has_changed = True  # a packet of a track that was not there at first
                if self._must_go_on_elsewhere:
                    return
            except (av.FFmpegError, ValueError):
                failures += 1
            else:
                return
        self.broke_off = True

    def note_decoded(self, packet: "Packet[AudioStream]") -> None:
        """Note that a packet had sound."""
        self._has_changed = False
        if packet.pos is not None:
            self.end_bytes = packet.pos + packet.size

    def note_failed(self) -> None:
        """Note that a packet could not be decoded."""
        self._has_changed = True

    def rest(self) -> Source | int:
        """The source from where another file begins, or another track; else how many bytes there are unknown."""
        file, end = self._file, self.end_bytes
        if self._changed_at is not None:
            rest = file.source_from(self._changed_at)
            # Bytes of a tag may look like the header of a frame.
            return rest if stream_start(rest.peek(mp3.EXAMINED_BYTES)) == 0 else 0
        if not self.is_of_stream:
            return file.next_source(end)
        size_bytes = file.source.size_bytes
        if not self._has_changed or (size_bytes is not None and end >= size_bytes):
            return 0
        return file.source_from(end)

    @property
    def is_of_stream(self) -> bool:
        """Whether the file is a stream without an end of its own."""
        return self._file.demuxer in STREAM_DEMUXERS

    @property
    def _must_go_on_elsewhere(self) -> bool:
        """Whether a stream that can be read once is about to be forgotten from where its track ended."""
        return self.is_of_stream and self._has_changed and self.end_bytes > 0 and self._file.is_past(self.end_bytes)

    def _is_of_another_kind(self, packet: "Packet[AudioStream]") -> bool:
        is_frame = self._file.demuxer == "aac" and bool(packet.pos)
        return is_frame and self._kind.changes_with(bytes(memoryview(packet)[:_HEADER_BYTES]))
