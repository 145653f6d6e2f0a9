"""The decoder's library allocates no more than a small function has."""

import subprocess
import sys

ALLOCATE = """
import av
from transcriber.audio.allocation_limit import MAX_ALLOCATION_BYTES, limit_allocations
def fits(size):
    try:
        return bool(av.AudioFrame("s16", "mono", size // 2))
    except MemoryError:
        return False
before = fits(MAX_ALLOCATION_BYTES + 2**20)
print(before, limit_allocations(), fits(MAX_ALLOCATION_BYTES + 2**20), fits(MAX_ALLOCATION_BYTES // 2))
"""


def test_allocations_are_limited() -> None:
    """Beyond the limit, the library has no memory, wherever it is loaded from; below it, all is as before."""
    done = subprocess.run([sys.executable, "-c", ALLOCATE], capture_output=True, text=True, check=False)  # noqa: S603 # fixed
    assert done.stdout.split() == ["True", "True", "False", "True"], done.stderr
