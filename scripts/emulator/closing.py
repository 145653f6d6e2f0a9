"""What everything that is started has in common: it is closed at the end of its `with` block."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Something that is open until it is closed, or until the end of the `with` block that it stands in."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything that was opened or started."""

    def begin_closing(self) -> None:  # noqa: B027 # most have nothing to wait for
        """Begin what `close` then waits for, so that several servers can stop at the same time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
