"""Sources: read from the start as often as needed, never beyond the limit."""

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcriber.sources.held import HeldReading

from transcriber.encoded import read_base64
from transcriber.errors import AudioTooLargeError
from transcriber.sources.base import Reader
from transcriber.sources.inline import InlineSource


def inline(data: bytes, *, max_bytes: int = 10**9) -> InlineSource:
    return InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=max_bytes)


class OnceOnly(Reader):
    """Gives its bytes in blocks of 7 at most, once, and counts them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.closed = False

    def read(self, size: int) -> bytes:
        block = self.data[self.position :][: min(size, 7)]
        self.position += len(block)
        return block

    def close(self) -> None:
        self.closed = True


@given(st.binary(max_size=500), st.lists(st.integers(1, 100), max_size=10), st.integers(1, 50))
def test_peeking_changes_nothing(data: bytes, peeks: list[int], block: int) -> None:
    """However much is looked at before, a reading gives all bytes in order, and so does the next one."""
    source = inline(data)
    for size in peeks:
        assert source.peek(size) == data[:size]
    for _ in range(2):
        with source.open() as reader:
            assert b"".join(iter(lambda: reader.read(block), b"")) == data


def test_counts_the_bytes_of_all_readings() -> None:
    """What was read is counted once for each reading."""
    source = inline(bytes(100))
    for _ in range(2):
        with source.open() as reader:
            reader.read_fully(1000)
    assert source.bytes_read == 200


def test_announced_size_over_the_limit_is_refused_before_a_byte() -> None:
    """A source that says it is too large is refused when it is first looked at."""
    source = inline(bytes(2_500_000), max_bytes=2_000_000)
    with pytest.raises(AudioTooLargeError, match=r"2\.5 MB; the limit is 2 MB"):
        source.peek(1)
    assert source.bytes_read == 0


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), min_size=1, max_size=4))
def test_held_reading_reads_its_source_once(data: bytes, lengths: list[int]) -> None:
    """Readings of any length, one after the other, begin at the first byte, and the source gives each byte once."""
    once = OnceOnly(data)
    held = HeldReading(once)
    for length in lengths:
        with held.again() as reader:
            assert reader.read_fully(length) == data[:length]
    assert once.position <= len(data)
    with held.again() as reader:
        assert reader.read_fully(1000) == data
    held.close()
    assert once.closed


def test_held_readings_may_interleave() -> None:
    """Two readings at once do not disturb each other."""
    data = bytes(range(100))
    held = HeldReading(OnceOnly(data))
    first, second = held.again(), held.again()
    parts = [(first.read_fully(10), second.read_fully(10)) for _ in range(10)]
    assert b"".join(part for part, _ in parts) == b"".join(part for _, part in parts) == data
    assert all(a != b for (a, _), (b, _) in pairwise(parts))
