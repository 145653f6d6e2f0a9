"""What a build is about: which function, for which machine, in which folder."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from build_archive.archive import BEST_COMPRESSION


@dataclass(frozen=True)
class Target:
    """A machine that runs the function.

    `uv_platform` is uv's name for it, or None for this very machine; `python_version` is `major.minor`; `magic_number`
    is what bytecode for that Python begins with, 4 bytes. `compression_level` is zlib's.
    """

    name: str
    python_version: str
    magic_number: bytes
    uv_platform: str | None = None
    compression_level: int = BEST_COMPRESSION


# The platform's runtime `python311`. By this name uv takes wheels for musl 1.1 and 1.2: some of ours exist for one of
# them only. The number of CPython 3.11's bytecode, 3495, has been the same since its first release candidate.
PLATFORM = Target(
    name="Python 3.11 on Alpine, x86-64",
    python_version="3.11",
    magic_number=(3495).to_bytes(2, "little") + b"\r\n",
    uv_platform="x86_64-unknown-linux-musl",
)

# For the emulator, which runs the archive with the Python that it is run with itself.
THIS_MACHINE = Target(
    name=f"Python {sys.version_info.major}.{sys.version_info.minor} on this machine",
    python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
    magic_number=importlib.util.MAGIC_NUMBER,
    compression_level=1,  # it is never uploaded, and the best level takes 18 s more
)


@dataclass(frozen=True)
class Job:
    """One build: the function of `repository`, for `target`, laid out in the folder `tree`."""

    repository: Path
    target: Target
    tree: Path

    @property
    def package(self) -> Path:
        """Where the platform looks for dependencies."""
        return self.tree / "package"
