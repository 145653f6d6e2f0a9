"""Finds MP3 whose two sides cancel each other out when they are mixed; decodes two seconds, and those only in doubt.

An encoder that stores the sum and the difference of both sides has little in the sum then. Where it stores them as they
are, the sides are as loud as each other in each frame.
"""

from collections.abc import Sequence
from heapq import nlargest
from statistics import median_low
from typing import TYPE_CHECKING, Final, cast

from transcriber.audio import mp3
from transcriber.audio.byte_blocks import cut_out
from transcriber.audio.mp3_side_info import PROTECTION_SHIFT, channel_level, shape_of
from transcriber.audio.sides import cancel, changes_in

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame

# The loudest frames are looked at: there is a voice in them, if there is one.
LOOKED_AT_FRAMES: Final = 40
DECODED_FRAMES: Final = 80
# Frames that a decoder needs before one sounds as it should.
WARM_UP_FRAMES: Final = 12
# Levels of sides that record the same differ by the same in each frame, to within this.
SAME_LEVEL: Final = 1
_JOINT_STEREO: Final = 1
_MID_SIDE: Final = 2


def sides_cancel(blocks: Sequence[bytes], ends: Sequence[int], levels: Sequence[int]) -> bool:
    """Whether the sides of stereo frames, which are in `blocks` up to each of `ends`, cancel each other out."""
    if not levels:
        return False

    def frames(first: int, last: int) -> bytes:
        return cut_out(blocks, ends[first - 1] if first else 0, ends[last - 1])

    loudest = nlargest(LOOKED_AT_FRAMES, range(len(levels)), key=levels.__getitem__)
    if not _may_cancel([frames(number, number + 1) for number in loudest if levels[number]]):
        return False
    first = max(0, loudest[0] - DECODED_FRAMES // 2)
    decoded = _decoded(frames(max(0, first - WARM_UP_FRAMES), min(len(levels), first + DECODED_FRAMES)))
    return bool(decoded) and cancel(changes_in(decoded), (1, 1))


def _may_cancel(frames: Sequence[bytes]) -> bool:
    """Whether what is stored of both sides leaves it open that they cancel each other out."""
    doubtful = 0
    differences: list[int] = []
    for data in frames:
        frame = mp3.read_frame(data, 0)
        if frame is None:
            continue
        word = int.from_bytes(data[: mp3.HEADER_BYTES], "big")
        shape = shape_of(frame, is_protected=not word >> PROTECTION_SHIFT & 1)
        side = int.from_bytes(data[shape.side_start : shape.side_end], "big")
        left, right = (channel_level(side >> shift, shape) for shift in shape.books_shifts)
        if word >> 6 & 3 == _JOINT_STEREO and word >> 4 & _MID_SIDE:
            doubtful += right >= left
        else:
            differences.append(left - right)
    if differences:
        usual = median_low(differences)
        doubtful += sum(abs(difference - usual) <= SAME_LEVEL for difference in differences)
    return 2 * doubtful > len(frames)


def _decoded(data: bytes) -> "list[AudioFrame]":
    import av  # noqa: PLC0415 # 24 MiB, and 0.1 s of CPU at a cold start; only sides in doubt need it

    codec = cast("AudioCodecContext", av.CodecContext.create("mp3float", "r"))
    frames: list[AudioFrame] = []
    for packet in [*codec.parse(data), None]:
        try:
            frames += codec.decode(packet)
        except (av.FFmpegError, ValueError):
            continue  # a frame that needs others before it
    return frames[WARM_UP_FRAMES // 2 :]
