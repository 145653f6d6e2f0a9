"""Bytecode for all modules of the archive, made by the same version of Python that runs it."""

import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from build_archive.errors import BuildError
from build_archive.job import Job

# Bytecode that is never compared with its source: its dates would be those of the unpacking, so that Python would
# compile everything anew. PEP 552 sets these flags in the 4 bytes after the magic number.
UNCHECKED_HASH_FLAGS = (0b01).to_bytes(4, "little")

# What a cold start then does at every first request. Measured with the SDK and its whole tree of imports.
COST_OF_NONE = "each cold start compiles every module again: 0.75 CPU seconds, 6 s in a function of 256 MB"


def compile_bytecode(job: Job) -> None:
    """Add a `.pyc` for every module; says so when no Python of the target's version is to be had, and adds none.

    Raises `BuildError` when a module does not compile, or the bytecode is not what the target reads.
    """
    python = find_python(job)
    if python is None:
        version = job.target.python_version
        print(f"There is no Python {version} here, nor can it be had: no bytecode, so {COST_OF_NONE}.", file=sys.stderr)
        return
    # One process, files in order, a fixed hash seed, and no site packages: the bytes depend on all of that. Paths in
    # it are relative to the archive; the importer puts right where the module really is.
    command = [python, "-s", "-S", "-P", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", str(job.tree), str(job.tree)],
        env={"PYTHONHASHSEED": "0"},
        cwd=job.tree,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"Not every module compiles for {job.target.name}:\n{(done.stdout + done.stderr).strip()}")
    _check(job)


def _check(job: Job) -> None:
    """Each module has bytecode, and each is for the target: another magic number would be ignored in silence."""
    expected = job.target.magic_number + UNCHECKED_HASH_FLAGS
    for path in job.tree.rglob("*.pyc"):
        with path.open("rb") as file:
            if file.read(len(expected)) != expected:
                raise BuildError(f"{path.relative_to(job.tree)} is no bytecode that {job.target.name} reads.")
    modules, compiled = (sum(1 for _ in job.tree.rglob(pattern)) for pattern in ("*.py", "*.pyc"))
    if modules != compiled:
        raise BuildError(f"There are {modules} modules, but bytecode for {compiled}.")


def find_python(job: Job) -> str | None:
    """A Python of the target's version: this one, another of this machine, or one that uv can download."""
    version = job.target.python_version
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    downloads = job.repository / ".cache" / "python"
    return (
        _find(version, downloads)
        or _find_of_pyenv(version)
        or (_find(version, downloads) if _download(version, downloads) else None)
    )


def _find(version: str, downloads: Path) -> str | None:
    done = _uv_python(downloads, "find", "--no-project", f"cpython@{version}")
    return done.stdout.strip() if done.returncode == 0 else None


def _find_of_pyenv(version: str) -> str | None:
    """One that pyenv has and has not switched on: its command on PATH fails then, which is all that uv sees."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return next((str(python) for python in sorted(root.glob(f"versions/{version}.*/bin/python"))), None)


def _download(version: str, downloads: Path) -> bool:
    return _uv_python(downloads, "install", "--no-bin", f"cpython@{version}").returncode == 0


def _uv_python(downloads: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_uv_bin(), "python", *arguments],
        env=os.environ | {"UV_PYTHON_INSTALL_DIR": str(downloads)},
        capture_output=True,
        text=True,
        check=False,
    )
