"""The base class of servers and clients that have to be closed."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """An object that is open until `close`, or until the end of its `with` block."""

    @abstractmethod
    def close(self) -> None:
        """Stop and close everything that the object started or opened."""

    def begin_closing(self) -> None:  # noqa: B027 # optional: most have nothing to stop in advance
        """Begin to stop; `close` waits for the end, so that several servers stop at the same time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
