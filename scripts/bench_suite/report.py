"""Writes the results as JSON, with every sample, so that runs can be compared."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench_suite.lines import Line

# The libraries whose versions change results; the report holds no name of the machine or of anything on it.
_PACKAGES: Final = ("openai", "httpx2", "requests", "urllib3")


def write_json(path: Path, lines: Sequence[Line], *, is_quick: bool) -> None:
    """Write the results to `path`."""
    report = {"quick": is_quick, "machine": _machine(), "lines": [_line(line) for line in lines]}
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "libc": platform.libc_ver()[0],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _line(line: Line) -> dict[str, Any]:
    target = None if line.target is None else {"at_most": line.target.at_most, "of": line.target.of}
    return {
        "row": line.row,
        "metric": line.metric.name,
        "unit": line.metric.unit,
        "samples": {contender.value: list(samples) for contender, samples in line.samples.items()},
        "limit": line.limit,
        "ours_to_seed": line.ours_to_seed,
        "ours_to_limit": line.ours_to_limit,
        "target": target,
        "met": line.is_met,
    }
