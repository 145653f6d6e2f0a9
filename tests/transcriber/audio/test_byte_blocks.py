"""Byte blocks: bytes that are appended at one end and taken at the other are the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from transcriber.audio.byte_blocks import ByteBlocks


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 50)))
def test_bytes_come_out_as_they_went_in(blocks: list[bytes], sizes: list[int]) -> None:
    """However they are taken, the bytes are those that were appended, each once and in order."""
    held = ByteBlocks()
    for block in blocks:
        held.append(block)
    whole = b"".join(blocks)
    assert len(held) == len(whole)
    taken = b""
    for size in sizes:
        part = b"".join(held.take(size))
        assert len(part) == min(size, len(whole) - len(taken))
        taken += part
    assert taken + b"".join(held.take(len(held))) == whole


def test_bytes_that_are_put_back_come_first() -> None:
    """Bytes that were taken and put back are the first again."""
    held = ByteBlocks()
    held.append(b"abc")
    held.append(b"def")
    taken = b"".join(held.take(4))
    held.put_back(taken[2:])
    assert (held.first, len(held), b"".join(held.take(9))) == (b"cd", 4, b"cdef")
