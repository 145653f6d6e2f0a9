"""Byte blocks: bytes that are appended at one end and taken at the other are the same bytes, and are not copied."""

from hypothesis import given
from hypothesis import strategies as st

from transcriber.audio.byte_blocks import ByteBlocks

blocks_of_bytes = st.lists(st.binary(max_size=20))


@given(blocks_of_bytes, st.lists(st.integers(0, 50)))
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


operations = st.one_of(
    st.tuples(st.just("append"), st.binary(max_size=20)),
    st.tuples(st.just("put back"), st.binary(max_size=20)),
    st.tuples(st.just("take"), st.integers(0, 50)),
)


@given(st.lists(operations))
def test_blocks_are_one_sequence_of_bytes(steps: list[tuple[str, bytes | int]]) -> None:
    """After any appending, taking and putting back, the blocks hold the bytes that one sequence would hold."""
    held, expected = ByteBlocks(), b""
    for operation, value in steps:
        if isinstance(value, int):
            assert b"".join(held.take(value)) == expected[:value]
            expected = expected[value:]
        elif operation == "append":
            held.append(value)
            expected += value
        else:
            held.put_back(value)
            expected = value + expected
        assert len(held) == len(expected)
        assert expected.startswith(held.first)
        assert bool(held.first) is bool(expected)
    assert b"".join(held.take(len(held) + 1)) == expected


def test_bytes_that_are_put_back_come_first() -> None:
    """Bytes that were taken and put back are the first again."""
    held = ByteBlocks()
    held.append(b"abc")
    held.append(b"def")
    taken = b"".join(held.take(4))
    held.put_back(taken[2:])
    assert (held.first, len(held), b"".join(held.take(9))) == (b"cd", 4, b"cdef")


def test_whole_blocks_are_not_copied() -> None:
    """Blocks that are taken whole are those that were appended; only a block that is divided is copied."""
    blocks = [bytes([number]) * 1000 for number in range(4)]
    held = ByteBlocks()
    for block in blocks:
        held.append(block)
    taken = held.take(2500)
    assert [block is original for block, original in zip(taken, blocks, strict=False)] == [True, True, False]
    (rest, last) = held.take(2500)
    assert (rest, last is blocks[3]) == (blocks[2][500:], True)
