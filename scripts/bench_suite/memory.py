"""Reads from Linux how much memory of this process is resident."""

import re
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
# "Reset the peak resident set size", in proc_pid_clear_refs(5).
_RESET_PEAK = "5"


def reset_peak() -> int:
    """Forget the peak; the bytes that are resident now."""
    _CLEAR.write_text(_RESET_PEAK)
    return _bytes("VmRSS")


def peak() -> int:
    """The most bytes that were resident since `reset_peak`."""
    return _bytes("VmHWM")


def _bytes(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{_STATUS} has no {field}")
    return int(found[1]) * 1024
