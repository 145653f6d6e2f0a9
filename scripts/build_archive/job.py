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


# The platform's Pythons that all wheels of the lock exist for, and the number of each one's bytecode: the same in all
# releases of a version.
BYTECODE_NUMBERS = {"3.11": 3495, "3.12": 3531, "3.13": 3571, "3.14": 3627}
DEFAULT_PYTHON = "3.11"


def platform_target(python_version: str) -> Target:
    """The platform with that Python, one of `BYTECODE_NUMBERS`."""
    return Target(
        name=f"Python {python_version} on Alpine, x86-64",
        python_version=python_version,
        magic_number=BYTECODE_NUMBERS[python_version].to_bytes(2, "little") + b"\r\n",
        # By this name uv takes wheels for musl 1.1 and 1.2: some of ours exist for one of them only.
        uv_platform="x86_64-unknown-linux-musl",
    )


def runtime_of(python_version: str) -> str:
    """The platform's name for that Python: `python311`."""
    return f"python{python_version.replace('.', '')}"


def python_of(runtime: str) -> str | None:
    """The Python of the platform's `runtime`; None for one that nothing can be built for."""
    return next((version for version in BYTECODE_NUMBERS if runtime_of(version) == runtime), None)


PLATFORM = platform_target(DEFAULT_PYTHON)

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
