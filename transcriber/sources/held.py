"""Keeps what one reading gives, for sources that cannot be read twice."""

from transcriber.errors import SourceError, SourceLostError
from transcriber.sources.base import Reader


class HeldReading:
    """One reading, whose bytes are kept as they come, so that it can be read from its start again.

    A reading that failed cannot go on: what is kept of it is a part, which nobody may take for the whole.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held = bytearray()  # in one piece: many small ones would leave holes that nothing fits into
        self._at_end = False
        self._has_failed = False

    def again(self) -> Reader:
        """A reading from the first byte, which goes on with the source where the kept bytes end.

        `SourceLostError` after a failure.
        """
        self._check()
        return _Replay(self)

    def read(self, position: int, size: int) -> bytes:
        """Up to `size` bytes from `position`, kept ones or the next of the source; none are the end."""
        self._check()
        if position == len(self._held) and not self._at_end:
            try:
                block = self._reader.read_fully(size)
            except SourceError:
                self._has_failed = True
                raise
            self._at_end = not block
            self._held += block
            return block
        return bytes(memoryview(self._held)[position : position + size])

    def _check(self) -> None:
        if self._has_failed:
            message = "The download broke off, and its server does not say which version of the audio it sends."
            raise SourceLostError(message, param="url")

    def close(self) -> None:
        """End the reading and forget its bytes."""
        self._reader.close()
        self._held = bytearray()


class _Replay(Reader):
    def __init__(self, held: HeldReading) -> None:
        self._held = held
        self._position = 0

    def read(self, size: int) -> bytes:
        block = self._held.read(self._position, size)
        self._position += len(block)
        return block

    def close(self) -> None:
        """Nothing: the reading goes on for whoever comes next."""
