"""Ends the work of several threads at once: their waits return, and their connections break.

A timeout ends a wait at its own time. When one chunk of a recording fails, the others have no purpose any more: a
thread that sleeps before a retry, or reads an answer, would keep its chunk in memory and go on sending audio that is
paid for.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock


class CancelledError(Exception):
    """The work was cancelled; raised in threads whose results are not wanted, and so never an answer."""


class Cancellation:
    """The cancellation of one piece of work that several threads share."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._connections: list[socket.socket] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether the work has been cancelled."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Wake every sleeper and break every connection that a thread waits for."""
        with self._lock:
            self._event.set()
            for connection in self._connections:
                # The method of the base class: an SSLSocket's own one would take the TLS state from its reader.
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise `CancelledError` if the work has been cancelled."""
        if self._event.is_set():
            raise CancelledError

    def sleep(self, seconds: float) -> None:
        """Sleep; `CancelledError` as soon as the work is cancelled."""
        self._event.wait(seconds)
        self.check()

    @contextmanager
    def breaking(self, connection: socket.socket) -> Iterator[None]:
        """Break `connection` if the work is cancelled in the block; `CancelledError` if it is already."""
        with self._lock:
            self.check()
            self._connections.append(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.remove(connection)
