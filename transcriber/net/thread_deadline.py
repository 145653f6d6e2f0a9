"""Limits the time of a thread's network calls as a whole: timeouts of libraries begin anew with each byte."""

import socket
import threading
import time


class ThreadDeadline(threading.local):
    """The time at which the current thread's call has to be over; each thread has its own."""

    ends_at = float("inf")

    def set(self, seconds: float) -> None:
        """Allow `seconds` from now on."""
        self.ends_at = time.monotonic() + seconds

    def within(self, timeout_seconds: float | None) -> float:
        """The shorter of `timeout_seconds` and what is left; `TimeoutError` when nothing is left."""
        remaining_seconds = self.ends_at - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError
        return remaining_seconds if timeout_seconds is None else min(timeout_seconds, remaining_seconds)

    def limit(self, connection: socket.socket) -> None:
        """Limit the next call of `connection` to what is left; `TimeoutError` when nothing is left."""
        remaining_seconds = self.within(None)
        timeout_seconds = connection.gettimeout()
        if timeout_seconds is None or timeout_seconds > remaining_seconds:
            connection.settimeout(remaining_seconds)
