"""What the calls of the API for one recording came to, for the log."""

from threading import Lock


class CallCounts:
    """Counts of calls; the threads of a recording add to it at the same time.

    What was accepted uses up the quota and is paid, whatever becomes of the recording.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._paid_seconds = 0.0
        self._slowest_seconds = 0.0
        self._refused = 0
        self._retried = 0

    def accept(self, seconds: float, audio_seconds: float) -> None:
        """A call with so much audio was answered after `seconds`."""
        with self._lock:
            self._paid_seconds += audio_seconds
            self._slowest_seconds = max(self._slowest_seconds, seconds)

    def refuse(self) -> None:
        """A call was refused for the quota."""
        with self._lock:
            self._refused += 1

    def retry(self) -> None:
        """A call failed, and is made again."""
        with self._lock:
            self._retried += 1

    @property
    def log_fields(self) -> dict[str, object]:
        """The counts that are not zero."""
        with self._lock:
            counts: dict[str, float] = {
                "paid_seconds": round(self._paid_seconds, 3),
                "slowest_call_seconds": round(self._slowest_seconds, 3),
                "refusals": self._refused,
                "retries": self._retried,
            }
        return {name: count or None for name, count in counts.items()}
