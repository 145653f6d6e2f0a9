"""Samples: 16 bits, little-endian, and whole ones only."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.audio.pcm import FULL_SCALE, SAMPLE_BYTES, SAMPLE_RATES_HZ, samples_of


@given(st.lists(st.integers(-FULL_SCALE, FULL_SCALE - 1)))
def test_samples_are_those_of_the_bytes(samples: list[int]) -> None:
    """Samples of any value are read from bytes as they were written, also from a view of them."""
    data = struct.pack(f"<{len(samples)}h", *samples)
    assert len(data) == len(samples) * SAMPLE_BYTES
    assert list(samples_of(data)) == list(samples_of(memoryview(data))) == samples


@given(st.binary(max_size=50))
def test_half_a_sample_is_left_out(data: bytes) -> None:
    """An odd byte at the end, which is half of a sample, is left out."""
    assert samples_of(data).tobytes() == data[: len(data) // 2 * 2]


@pytest.mark.parametrize(("rate_hz", "is_possible"), [(0, False), (8_000, True), (192_000, True), (1_000_000, False)])
def test_rates_of_recordings(rate_hz: int, is_possible: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """Rates from telephony to studios are possible, and those of damaged headers are not."""
    assert (rate_hz in SAMPLE_RATES_HZ) is is_possible
