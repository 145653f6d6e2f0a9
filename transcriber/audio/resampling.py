"""Resamples decoded frames, of any rate, format and channels, to mono samples at the rate that models use.

FFmpeg does it, through PyAV. Its work on a frame takes four microseconds, and fetching the result takes forty: many
frames are pushed before a result is fetched, and results are two seconds long. So an hour of m4a takes 3 CPU seconds
instead of 9, and later steps have fewer and larger blocks to work on.
"""

from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from transcriber.audio.headroom import FINE_BITS
from transcriber.audio.pcm import SAMPLE_BITS
from transcriber.audio.sides import cancel, changes_in, signs_of
from transcriber.errors import UnsupportedAudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.filter import Graph

# The values of all channels that are pushed before a result is fetched: half a MiB.
VALUES_AT_ONCE = 128 * 1024
# The length of each result but the last.
BLOCK_SECONDS = 2.0
# FFmpeg's name for a channel without a position, such as a microphone of a recorder.
NO_POSITION = "NONE"
STEREO_CHANNELS = 2
# Mixed in equal parts, sides of which one is inverted would cancel each other out, where that is not noticed: of these,
# 14 dB less than of one side remain. A voice on either side alone is kept as well.
STEREO_WEIGHTS = (0.6, 0.4)


class Resampler:
    """Resamples frames to samples of 16 or 32 `bits`; their rate, format and channels may change on the way.

    A microphone's balanced cable in a stereo socket records the same on both sides, inverted on one: channels that
    cancel each other out are mixed with the sign of some inverted. `UnsupportedAudioError` for frames whose channels
    cannot be mixed.
    """

    def __init__(self, sample_rate_hz: int, *, bits: int = SAMPLE_BITS) -> None:
        self._rate = sample_rate_hz
        self._bits = bits
        self._kind: tuple[str, str, int] | None = None
        self._signs: tuple[int, ...] = ()
        self._graph: Graph | None = None
        self._waiting: list[AudioFrame] = []
        self._waiting_values = 0
        self._given_samples = 0

    def resample(self, frame: "AudioFrame") -> "Iterator[array[int]]":
        """Push a frame; the samples that are ready."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            yield from self.rest()
            self._kind, self._signs = kind, (1,) * frame.layout.nb_channels
        self._waiting.append(frame)
        self._waiting_values += frame.samples * frame.layout.nb_channels
        if self._waiting_values >= VALUES_AT_ONCE:
            yield from self._push_waiting()

    def rest(self) -> "Iterator[array[int]]":
        """The remaining samples."""
        yield from self._push_waiting()
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.push(None)
            yield from self._ready(graph)

    def _push_waiting(self) -> "Iterator[array[int]]":
        """Push the frames that wait, with which it shows whether channels cancel each other out."""
        frames, self._waiting, self._waiting_values = self._waiting, [], 0
        if not frames:
            return
        if len(self._signs) > 1:
            signs, places = self._signs, changes_in(frames)
            if places and cancel(places, signs):
                self._signs = signs_of(places)
            if self._signs != signs and self._graph is not None:
                graph, self._graph = self._graph, None
                graph.push(None)
                yield from self._ready(graph)
        if self._graph is None:
            self._graph = self._graph_for(frames[0])
        for frame in frames:
            self._graph.push(frame)
        yield from self._ready(self._graph)

    def silence(self, until_seconds: float) -> "Iterator[array[int]]":
        """The remaining samples, and silence until `until_seconds` after the first sample."""
        yield from self.rest()
        left = round(until_seconds * self._rate) - self._given_samples
        self._given_samples += max(0, left)
        while left > 0:
            block = array(self._code, bytes(self._bits // 8 * min(left, round(BLOCK_SECONDS * self._rate))))
            left -= len(block)
            yield block

    @property
    def _code(self) -> str:
        return "i" if self._bits == FINE_BITS else "h"

    def _graph_for(self, frame: "AudioFrame") -> "Graph":
        import av  # noqa: PLC0415 # imported already, to decode the frame
        from av.filter import Graph  # noqa: PLC0415 # imported already

        graph = Graph()
        filters = [
            *_mix_of(frame, self._signs),
            ("aresample", str(self._rate)),
            ("aformat", f"sample_fmts=s{self._bits}:channel_layouts=mono:sample_rates={self._rate}"),
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

        # One of these says that nothing more is ready.
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                frame = cast("AudioFrame", graph.pull())
                block = array(self._code)
                block.frombytes(memoryview(frame.planes[0])[: frame.samples * block.itemsize])
                self._given_samples += len(block)
                yield block


def _mix_of(frame: "AudioFrame", signs: tuple[int, ...]) -> list[tuple[str, str]]:
    """The filters that mix the frame's channels into one, where FFmpeg's default would lose some of the sound.

    It assumes that six channels are those of a cinema, and leaves out the one of the subwoofer.
    """
    channels = frame.layout.nb_channels
    if channels == STEREO_CHANNELS:
        left, right = (sign * weight for sign, weight in zip(signs, STEREO_WEIGHTS, strict=True))
        return [("pan", f"mono|c0={left:+g}*c0{right:+g}*c1")]
    has_no_positions = all(channel.name == NO_POSITION for channel in frame.layout.channels)
    if channels > STEREO_CHANNELS and (has_no_positions or -1 in signs):
        return [("pan", "mono|c0<" + "".join(f"{sign:+d}*c{index}" for index, sign in enumerate(signs)))]
    return []
