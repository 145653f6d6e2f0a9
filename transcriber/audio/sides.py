"""Finds channels that cancel each other out when they are mixed, such as two sides of which one is inverted."""

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice
from operator import mul
from typing import TYPE_CHECKING, Final

from transcriber.audio.byte_blocks import cut_out
from transcriber.audio.pcm import SAMPLE_BYTES, samples_of

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

# What is left of the sound of sides that record the same, where one is inverted; sides that differ keep all of it.
LEFT_SHARE: Final = 0.25
# Samples of each channel that are looked at, of a second or two.
LOOKED_AT: Final = 128
# Of a chunk, these many of its loudest windows, and samples of each at this distance.
LOOKED_AT_WINDOWS: Final = 20
LOOKED_AT_STEP: Final = 4
# Samples are compared by how much they change within this time, which leaves out offsets and hum.
CHANGE_SECONDS: Final = 0.0005
# FFmpeg's sample formats, planar ones without their last letter.
_CODES: Final = {"u8": "B", "s16": "h", "s32": "i", "s64": "q", "flt": "f", "dbl": "d"}


def cancel(channels: Sequence[Sequence[float]], signs: Sequence[int]) -> bool:
    """Whether most of the sound of `channels` is lost when they are added up, each with its sign."""
    alone = sum(sum(map(mul, channel, channel)) for channel in channels)
    mixed = [sum(map(mul, values, signs)) for values in zip(*channels, strict=True)]
    return alone > 0 and sum(map(mul, mixed, mixed)) < LEFT_SHARE * alone


def signs_of(channels: Sequence[Sequence[float]]) -> tuple[int, ...]:
    """The sign of each channel with which none cancels the others; the first has its own."""
    mixed = list(channels[0])
    signs = [1]
    for channel in channels[1:]:
        signs.append(-1 if sum(map(mul, mixed, channel)) < 0 else 1)
        mixed = [before + signs[-1] * value for before, value in zip(mixed, channel, strict=True)]
    return tuple(signs)


def changes(samples: Sequence[int], sample_rate_hz: int) -> list[int]:
    """How much the samples of one channel change within half a millisecond."""
    distance = max(1, round(sample_rate_hz * CHANGE_SECONDS))
    return [later - earlier for earlier, later in zip(samples, islice(samples, distance, None), strict=False)]


def samples_cancel(blocks: Sequence[bytes], peaks: Sequence[int], *, window_samples: int, sample_rate_hz: int) -> bool:
    """Whether the sides of 16-bit stereo, whose windows have these `peaks`, cancel each other out where it is loud."""
    left: list[int] = []
    right: list[int] = []
    window_bytes = window_samples * SAMPLE_BYTES
    for number in nlargest(LOOKED_AT_WINDOWS, range(len(peaks)), key=peaks.__getitem__):
        # A window of an odd number of samples may begin with the right side.
        start = number * window_bytes // (2 * SAMPLE_BYTES) * (2 * SAMPLE_BYTES)
        samples = samples_of(cut_out(blocks, start, start + window_bytes))
        whole = len(samples) // 2 * 2
        left += changes(samples[0:whole:2], sample_rate_hz)[::LOOKED_AT_STEP]
        right += changes(samples[1:whole:2], sample_rate_hz)[::LOOKED_AT_STEP]
    return cancel((left, right), (1, 1))


def changes_in(frames: "Sequence[AudioFrame]") -> list[list[float]]:
    """The changes in each channel at some places in `frames`, which are of one kind; none in an unknown format."""
    first = frames[0]
    code, count = _CODES.get(first.format.name.removesuffix("p")), first.layout.nb_channels
    if code is None:
        return []
    distance = max(1, round(first.sample_rate * CHANGE_SECONDS))
    # Some frames in full would be one moment; one place in each of many is all of them.
    stride = max(1, sum(frame.samples for frame in frames) // LOOKED_AT)
    found: list[list[float]] = [[] for _ in range(count)]
    at = stride // 2
    for frame in frames:
        while at < frame.samples:
            if at + distance < frame.samples:
                for channel, values in enumerate(found):
                    plane = memoryview(frame.planes[channel if first.format.is_planar else 0]).cast("B").cast(code)  # type: ignore[call-overload] # any of them
                    if first.format.is_planar:
                        values.append(plane[at + distance] - plane[at])
                    else:
                        values.append(plane[(at + distance) * count + channel] - plane[at * count + channel])
            at += stride
        at -= frame.samples
    return found
