"""Makes decoded frames, of whatever rate, format and channels, into samples that the models hear: mono, 16 bits.

FFmpeg does it, by PyAV. What it does to a frame takes four microseconds, and asking it whether it has done so takes
forty: many frames are given to it before it is asked, and it gives a second of samples at a time. An hour of m4a takes
3 CPU seconds so, instead of 9, and what comes after has fewer and larger blocks to work on.
"""

from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from transcriber.errors import UnsupportedAudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.filter import Graph

# How many values, of all channels together, wait at least to be worked on: half a MiB.
VALUES_AT_ONCE = 128 * 1024
# How long the blocks are that are given, but for the last.
BLOCK_SECONDS = 1.0
# What FFmpeg calls a channel of which nothing says where its loudspeaker stands: the microphones of a recorder.
NO_POSITION = "NONE"
STEREO_CHANNELS = 2
# A microphone's balanced cable in a stereo socket records the same on both sides, on one of them upside down, of which
# equal parts are silence. Of these, 14 dB less than of a side are left, and either side by itself is heard as well.
STEREO_MIX = "mono|c0=0.6*c0+0.4*c1"


class Resampler:
    """Makes samples of one kind of decoded frames, whose kind may change on the way.

    `UnsupportedAudioError` for frames of a kind that cannot be mixed.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate = sample_rate_hz
        self._kind: tuple[str, str, int] | None = None
        self._graph: Graph | None = None
        self._waiting_values = 0
        self._given_samples = 0

    def resample(self, frame: "AudioFrame") -> "Iterator[array[int]]":
        """Take a frame; the samples that are ready."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._graph is None or kind != self._kind:
            yield from self.rest()
            self._graph, self._kind = self._graph_for(frame), kind
        self._graph.push(frame)
        self._waiting_values += frame.samples * frame.layout.nb_channels
        if self._waiting_values >= VALUES_AT_ONCE:
            yield from self._ready(self._graph)

    def rest(self) -> "Iterator[array[int]]":
        """What is left in it."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.push(None)
            yield from self._ready(graph)

    def silence(self, until_seconds: float) -> "Iterator[array[int]]":
        """What is left in it, and silence until `until_seconds` after its first sample."""
        yield from self.rest()
        left = round(until_seconds * self._rate) - self._given_samples
        self._given_samples += max(0, left)
        while left > 0:
            block = array("h", bytes(2 * min(left, round(BLOCK_SECONDS * self._rate))))
            left -= len(block)
            yield block

    def _graph_for(self, frame: "AudioFrame") -> "Graph":
        import av  # noqa: PLC0415 # by whoever decodes, which made the frame: imported already
        from av.filter import Graph  # noqa: PLC0415 # the same

        graph = Graph()
        filters = [
            *_mix_of(frame),
            ("aresample", str(self._rate)),
            ("aformat", f"sample_fmts=s16:channel_layouts=mono:sample_rates={self._rate}"),
            ("asetnsamples", f"nb_out_samples={round(BLOCK_SECONDS * self._rate)}:pad=0"),
            ("abuffersink", None),
        ]
        try:
            source = graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format.name,
                layout=frame.layout.name,
                time_base=frame.time_base,
            )
            graph.link_nodes(source, *(graph.add(name, arguments) for name, arguments in filters)).configure()
        except (av.FFmpegError, ValueError) as error:
            raise UnsupportedAudioError(
                f"The source has sound in {frame.layout.nb_channels} channels ({frame.layout.name}, "
                f"{frame.format.name}), which cannot be mixed; save it as stereo or mono."
            ) from error
        return graph

    def _ready(self, graph: "Graph") -> "Iterator[array[int]]":
        import av  # noqa: PLC0415 # imported already

        self._waiting_values = 0
        # That nothing more is ready is told by one of these.
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                frame = cast("AudioFrame", graph.pull())
                block = array("h")
                block.frombytes(memoryview(frame.planes[0])[: frame.samples * block.itemsize])
                self._given_samples += len(block)
                yield block


def _mix_of(frame: "AudioFrame") -> list[tuple[str, str]]:
    """How to mix the frame's channels into one, where FFmpeg's own way would leave some of the sound out.

    It takes six channels for those of a cinema, and leaves out the one that there is the subwoofer's.
    """
    channels = frame.layout.nb_channels
    if channels == STEREO_CHANNELS:
        return [("pan", STEREO_MIX)]
    if channels > STEREO_CHANNELS and all(channel.name == NO_POSITION for channel in frame.layout.channels):
        return [("pan", "mono|c0<" + "+".join(f"c{index}" for index in range(channels)))]
    return []
