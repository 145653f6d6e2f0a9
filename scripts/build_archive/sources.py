"""Our own part of the archive: the handler and its package, and nothing else of the repository."""

import shutil
from pathlib import Path

from build_archive.errors import BuildError
from build_archive.job import Job

HANDLER = "handler.py"
PACKAGE = "transcriber"
README = "README.md"


def copy_sources(job: Job) -> None:
    """Copy the function's own files; raises `BuildError` when one is missing, or is none that it would read."""
    for path in (job.repository / HANDLER, *_files(job.repository / PACKAGE)):
        copy = job.tree / path.relative_to(job.repository)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, copy)
        except OSError as error:
            raise BuildError(f"{path} cannot be copied: {error.strerror}.") from error


def _files(package: Path) -> list[Path]:
    files = []
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        # What editors, desktops and Python itself leave behind.
        if path.is_dir() or "__pycache__" in inside.parts or any(part.startswith(".") for part in inside.parts):
            continue
        if path.name == README:  # for people; the function never reads it
            continue
        if path.suffix != ".py":
            # Left out in silence, it would be missed in the cloud; taken in silence, it might be anything.
            raise BuildError(f"{path} is no Python file: remove it, or have scripts/build take such files.")
        files.append(path)
    return files
