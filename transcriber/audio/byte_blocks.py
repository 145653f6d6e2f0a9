"""Holds bytes that arrive in blocks, without ever copying them into one place.

A bytearray that grows to the 25 MB of a chunk is copied to a larger place many times; the old places stay with the
process, which makes 1.4 times the audio resident. Blocks are held once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator


class ByteBlocks:
    """Bytes in blocks, appended at the end and taken from the beginning."""

    def __init__(self) -> None:
        self._blocks: deque[bytes] = deque()
        self._size_bytes = 0

    def __len__(self) -> int:
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)

    @property
    def first(self) -> bytes:
        """The first block; empty where there is none."""
        return self._blocks[0] if self._blocks else b""

    def append(self, block: bytes) -> None:
        """Add `block` at the end."""
        if block:
            self._blocks.append(block)
            self._size_bytes += len(block)

    def take(self, size_bytes: int) -> list[bytes]:
        """Remove the first `size_bytes`, or all if there are fewer; only the block at the border is copied."""
        taken: list[bytes] = []
        while size_bytes > 0 and self._blocks:
            block = self._blocks.popleft()
            if len(block) > size_bytes:
                self._blocks.appendleft(block[size_bytes:])
                block = block[:size_bytes]
            taken.append(block)
            size_bytes -= len(block)
            self._size_bytes -= len(block)
        return taken

    def replace_each(self, change: Callable[[bytes], bytes]) -> None:
        """Replace each block by one of the same size."""
        for _ in range(len(self._blocks)):
            self._blocks.append(change(self._blocks.popleft()))

    def put_back(self, block: bytes) -> None:
        """Add `block` at the beginning."""
        if block:
            self._blocks.appendleft(block)
            self._size_bytes += len(block)


def cut_out(blocks: Iterable[bytes], start: int, end: int) -> bytes:
    """The bytes from `start` to before `end` of blocks that follow each other."""
    parts: list[bytes] = []
    position = 0
    for block in blocks:
        if position >= end:
            break
        if position + len(block) > start:
            parts.append(block[max(0, start - position) : end - position])
        position += len(block)
    return b"".join(parts)
