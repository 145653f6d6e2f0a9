"""Samples as the APIs take them: 16 bits, signed, little-endian, channels interleaved."""

from array import array
from typing import Final

SAMPLE_BITS: Final = 16
SAMPLE_BYTES: Final = SAMPLE_BITS // 8
FULL_SCALE: Final = 1 << (SAMPLE_BITS - 1)

# From below telephony's rates to above any studio's: a header with another rate is damaged.
SAMPLE_RATES_HZ: Final = range(1_000, 768_001)


def samples_of(block: bytes | bytearray | memoryview) -> "array[int]":
    """The whole samples in `block`."""
    samples = array("h")
    samples.frombytes(memoryview(block)[: len(block) // SAMPLE_BYTES * SAMPLE_BYTES])
    return samples
