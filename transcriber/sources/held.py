"""Keeps what one reading gives, for sources that cannot be read twice."""

from transcriber.errors import SourceError, SourceLostError
from transcriber.sources.base import BLOCK_BYTES, Reader


class HeldReading:
    """One reading, whose bytes are kept as they come, so that it can be read from its start again.

    A reading that failed cannot go on: what is kept of it is a part, which nobody may take for the whole.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._blocks: list[bytes] = []
        self._at_end = False
        self._has_failed = False

    def again(self) -> Reader:
        """A reading from the first byte, which goes on with the source where the kept bytes end.

        `SourceLostError` after a failure.
        """
        self._check()
        return _Replay(self)

    def block(self, index: int) -> bytes:
        """The block at `index`: a kept one, or the next one of the source; an empty one is the end."""
        self._check()
        if index == len(self._blocks) and not self._at_end:
            try:
                block = self._reader.read_fully(BLOCK_BYTES)
            except SourceError:
                self._has_failed = True
                raise
            self._at_end = not block
            self._blocks.append(block)
        return self._blocks[index] if index < len(self._blocks) else b""

    def _check(self) -> None:
        if self._has_failed:
            message = "The download broke off, and its server does not say which version of the audio it sends."
            raise SourceLostError(message, param="url")

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
            self._rest = memoryview(self._held.block(self._index))
            self._index += 1
        block, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return block

    def close(self) -> None:
        self._rest = memoryview(b"")
