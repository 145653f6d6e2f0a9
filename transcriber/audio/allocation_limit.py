"""Limits what the decoder's library allocates at a time: whatever a file claims, a small function outlives it."""

from functools import cache
from pathlib import Path
from typing import Final

# The largest that a real recording needs is the index of a day of MP4; a plane of a video's picture is smaller.
MAX_ALLOCATION_BYTES: Final = 128 * 1024 * 1024
_LIBRARY: Final = "libavutil"
_MAPPED_FILES: Final = Path("/proc/self/maps")


@cache
def limit_allocations() -> bool:
    """Set the limit in the library that PyAV has loaded, once; false where that cannot be found, and nothing is set."""
    import ctypes  # noqa: PLC0415 # WAV and MP3 do not need it at a cold start

    try:
        mapped = _MAPPED_FILES.read_text().splitlines()
        path = next(line.split(maxsplit=5)[5] for line in mapped if _LIBRARY in line)
        ctypes.CDLL(path).av_max_alloc(ctypes.c_size_t(MAX_ALLOCATION_BYTES))
    except (OSError, StopIteration, IndexError, AttributeError, ValueError):
        return False
    return True
