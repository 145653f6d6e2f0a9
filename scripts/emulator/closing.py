"""The base of everything that is started: it is closed at the end of its `with` block."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """An object that is open until it is closed, or until the end of its `with` block."""

    @abstractmethod
    def close(self) -> None:
        """Close everything that was opened or started."""

    def begin_closing(self) -> None:  # noqa: B027 # most have nothing to stop beforehand
        """Begin to stop; `close` waits for the end, so that several servers stop at the same time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
