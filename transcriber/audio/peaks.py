"""Finds the peaks of many groups of samples at a time, without a step of the interpreter for each sample.

All samples are the digits of one integer, 16 bits each, so that one operation on integers works on all of them. For
32 samples in each twentieth of a second of an hour this takes 0.08 CPU seconds, where `max` takes 0.28.
"""

from array import array
from functools import lru_cache

from transcriber.audio.pcm import SAMPLE_BITS

# A recording has few different block sizes: those of whole blocks, and of their rests.
AMOUNTS = 64


def peaks(samples: "array[int]", group: int) -> "array[int]":
    """The peak of each `group` of consecutive samples; groups are whole, and a power of two; 0 to 32,767.

    A negative sample counts as one less than its absolute value, so that the lowest, -32,768, has 15 bits as well.
    """
    return _peaks(int.from_bytes(samples.tobytes(), "little"), len(samples), group)


def peaks_of_changes(earlier: "array[int]", later: "array[int]", group: int) -> "array[int]":
    """The peaks, as above, of half of what each sample of `later` differs from the one of `earlier` in its place."""
    count = len(earlier)
    # With the top bit inverted, samples have no sign; halved, they leave the top bit free to borrow from.
    top, low = _each(count, 1 << (SAMPLE_BITS - 1)), _each(count, (1 << (SAMPLE_BITS - 1)) - 1)
    before, after = ((int.from_bytes(samples.tobytes(), "little") ^ top) >> 1 & low for samples in (earlier, later))
    return _peaks(((after | top) - before) ^ top, count, group)


def _peaks(values: int, count: int, group: int) -> "array[int]":
    negative = (values >> (SAMPLE_BITS - 1)) & _each(count, 1)
    values ^= (negative << SAMPLE_BITS) - negative  # all bits of the negative ones
    top = _each(count, 1 << (SAMPLE_BITS - 1))
    distance = group
    while distance > 1:
        # The larger of each value and the one at half the distance of before: after the last step, each is the largest
        # of those after it in its group, and so the first is the largest of all.
        distance //= 2
        others = values >> SAMPLE_BITS * distance
        # The top bit, which no value has, remains where the other one is not larger, and becomes the 15 bits below it.
        is_larger = ((values | top) - others) & top
        values = others ^ ((values ^ others) & (is_larger - (is_larger >> (SAMPLE_BITS - 1))))
    largest = array("H")
    largest.frombytes(values.to_bytes(count * SAMPLE_BITS // 8, "little"))
    return largest[::group]


@lru_cache(AMOUNTS)
def _each(count: int, value: int) -> int:
    """`count` samples that are all `value`."""
    return int.from_bytes(value.to_bytes(SAMPLE_BITS // 8, "little") * count, "little")
