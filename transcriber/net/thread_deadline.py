"""Keeps a thread's work to its time, whatever a peer does: libraries' timeouts begin anew with each byte."""

import socket
import threading
import time


class ThreadDeadline(threading.local):
    """The point in time at which what this thread does has to be over; each thread has its own."""

    ends_at = float("inf")

    def set(self, seconds: float) -> None:
        """From now on, `seconds` are left."""
        self.ends_at = time.monotonic() + seconds

    def within(self, timeout_seconds: float | None) -> float:
        """The shorter of `timeout_seconds` and what is left; `TimeoutError` when nothing is."""
        remaining_seconds = self.ends_at - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError
        return remaining_seconds if timeout_seconds is None else min(timeout_seconds, remaining_seconds)

    def keep(self, connection: socket.socket) -> None:
        """Let the next call of `connection` take no longer than what is left; `TimeoutError` when nothing is."""
        remaining_seconds = self.within(None)
        timeout_seconds = connection.gettimeout()
        if timeout_seconds is None or timeout_seconds > remaining_seconds:
            connection.settimeout(remaining_seconds)
