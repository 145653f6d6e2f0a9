"""Keeps what one reading gives, for sources that cannot be read twice."""

from transcriber.sources.base import Reader


class HeldReading:
    """One reading, whose bytes are kept as they come, so that it can be read from its start again."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._blocks: list[bytes] = []
        self._at_end = False

    def again(self) -> Reader:
        """A reading from the first byte, which goes on with the source where the kept bytes end."""
        return _Replay(self)

    def block(self, index: int, size: int) -> bytes:
        """The block at `index`: a kept one, whatever its size, or the next one of the source, of up to `size` bytes."""
        if index == len(self._blocks) and not self._at_end:
            block = self._reader.read(size)
            self._at_end = not block
            self._blocks.append(block)
        return self._blocks[index] if index < len(self._blocks) else b""

    def close(self) -> None:
        """End the reading and forget its bytes."""
        self._reader.close()
        self._blocks.clear()


class _Replay(Reader):
    def __init__(self, held: HeldReading) -> None:
        self._held = held
        self._index = 0
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = memoryview(self._held.block(self._index, size))
            self._index += 1
        block, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return block

    def close(self) -> None:
        self._rest = memoryview(b"")
