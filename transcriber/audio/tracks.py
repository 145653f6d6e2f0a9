"""Chooses the track of a file: one that can be decoded, then the default one, then one with sound in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from transcriber.audio.pcm import SAMPLE_RATES_HZ

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# None chooses a track; a number, from 0, is the client's choice; "all" are transcribed one after another.
Track: TypeAlias = int | Literal["all"] | None

# A track of which this much is silent is left for one with sound in it.
EXAMINED_SECONDS: Final = 30.0
EXAMINED_PACKETS: Final = 20_000
# Encoders leave traces of this size in silence.
SILENT_PEAK: Final = 4


@dataclass(frozen=True)
class TrackChoice:
    """The number of a track among those with sound, from 0, and how many there are."""

    number: int
    tracks: int
    is_single: bool = True

    @property
    def heading(self) -> str:
        """The heading of one of several tracks that are transcribed one after another."""
        return "" if self.is_single else f"Track {self.number}:"

    @property
    def warning(self) -> str | None:
        """The warning about what was chosen and what else there is; None where there is nothing else."""
        if self.tracks <= 1 or not self.is_single:
            return None
        others = [str(number) for number in range(self.tracks) if number != self.number]
        are = f"track {others[0]} is" if len(others) == 1 else f"tracks {', '.join(others)} are"
        return (
            f"The file has {self.tracks} audio tracks; only track {self.number} is transcribed, and {are} not. "
            "Choose with the option track: a number, or all."
        )


def no_such_track(track: Track, count: int) -> str:
    """The message about a track that a file of `count` tracks does not have."""
    numbers = "has the number 0" if count == 1 else f"are numbered from 0 to {count - 1}"
    return f"The source has no track {track}: its {count} audio track{'' if count == 1 else 's'} {numbers}."


def decodable(streams: "Sequence[AudioStream]") -> list[int]:
    """The numbers of the tracks that can be decoded, the default ones first."""
    numbers = [
        number
        for number, stream in enumerate(streams)
        if stream.codec_context is not None and stream.codec_context.sample_rate in SAMPLE_RATES_HZ
    ]
    return sorted(numbers, key=lambda number: (not _is_default(streams[number]), number))


def _is_default(stream: "AudioStream") -> bool:
    return bool(getattr(stream.disposition, "value", 0) & 1)


def with_sound(container: "InputContainer", numbers: Sequence[int]) -> int:
    """The first of the tracks `numbers` that is not silent in the first seconds; the first where all are.

    It reads the container, which has to be opened again to be decoded from its start.
    """
    import av  # noqa: PLC0415 # imported already

    streams = [container.streams.audio[number] for number in numbers]
    resampler = {stream.index: av.AudioResampler(format="s16", layout="mono", rate=8_000) for stream in streams}
    loud: set[int] = set()
    lengths = dict.fromkeys(resampler, 0.0)
    try:
        for count, packet in enumerate(container.demux(streams)):
            index = packet.stream_index
            if streams[0].index in loud or count > EXAMINED_PACKETS or min(lengths.values()) > EXAMINED_SECONDS:
                break
            if max(lengths.values()) > 2 * EXAMINED_SECONDS:
                break
            if index in loud:
                continue
            for frame in cast("list[AudioFrame]", packet.decode()):
                lengths[index] += frame.samples / frame.sample_rate
                for part in resampler[index].resample(frame):
                    samples = memoryview(part.planes[0]).cast("B")[: part.samples * 2].cast("h")
                    if max(samples, default=0) > SILENT_PEAK:
                        loud.add(index)
    except (av.FFmpegError, ValueError, IndexError):
        pass  # what was read up to there decides
    return next((number for number, stream in zip(numbers, streams, strict=True) if stream.index in loud), numbers[0])
