"""The network between the function and its servers: links with a speed, and the latency of the API."""

import time
from dataclasses import dataclass
from threading import Lock

# What passes at once: 16 KiB take 0.8 ms at 20 MB/s, which is little beside any request, and more than a sleep costs.
SLICE_BYTES = 16 * 1024
# Without a limit, as much as keeps the servers' own part small.
UNLIMITED_SLICE_BYTES = 256 * 1024
# A sleep is late by some 0.1 ms, and by more on a busy machine; so much of it is made up for, and no more, since a link
# that was idle does not get faster by it.
CATCH_UP_SECONDS = 0.005
# Buffers of the kernel's own size, of megabytes, would take in what the link has not carried yet; it doubles this one.
SOCKET_BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Links:
    """The speed of each link, None for as fast as the machine can, and the time from a call's end to its answer."""

    bytes_per_second: float | None
    api_latency_seconds: float

    def limit_seconds(self, download_bytes: int, upload_bytes: int) -> float | None:
        """The least time from a request to its answer; None where the links set none.

        Both transfers at once, so the slower of them counts, and then the answer, which cannot begin before the end.
        """
        if self.bytes_per_second is None:
            return None
        return max(download_bytes, upload_bytes) / self.bytes_per_second + self.api_latency_seconds


UNLIMITED = Links(bytes_per_second=None, api_latency_seconds=0.0)
LIMITED = Links(bytes_per_second=20e6, api_latency_seconds=0.2)


class Pace:
    """Lets bytes pass at the speed of one link, which all connections share."""

    def __init__(self, bytes_per_second: float | None) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = 0.0
        self._lock = Lock()

    @property
    def slice_bytes(self) -> int:
        """How many bytes to pass on at once."""
        return UNLIMITED_SLICE_BYTES if self._bytes_per_second is None else SLICE_BYTES

    def pass_on(self, size_bytes: int) -> None:
        """Return once the link has carried `size_bytes` more."""
        if self._bytes_per_second is None:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - CATCH_UP_SECONDS) + size_bytes / self._bytes_per_second
            wait_seconds = self._free_at - now
        if wait_seconds > 0:
            time.sleep(wait_seconds)
