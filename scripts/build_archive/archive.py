"""Packs a folder into a zip that depends on the content alone, and checks what was packed."""

import stat
import zipfile
from pathlib import Path

from build_archive import elf
from build_archive.errors import BuildError
from build_archive.limits import Size

# The first that a zip can hold. Nothing reads the dates: the bytecode is not compared with its source.
DATE = (1980, 1, 1, 0, 0, 0)
# Readable for all, because the platform's user is unknown; a loader needs no more than that for a library.
MODE = stat.S_IFREG | 0o644
UNIX = 3
BEST_COMPRESSION = 9


def write(tree: Path, path: Path, compression_level: int = BEST_COMPRESSION) -> None:
    """Write the files of `tree` to a zip at `path`: the same files, the same bytes."""
    files = {file.relative_to(tree).as_posix(): file for file in tree.rglob("*") if file.is_file()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = UNIX
            entry.external_attr = MODE << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, compression_level)


def measure(path: Path) -> Size:
    """The size of the archive at `path`."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        return Size(path.stat().st_size, sum(entry.file_size for entry in entries), len(entries))


def check_compiled_files(path: Path, python_version: str) -> None:
    """Raises `BuildError` that names each file of the archive at `path` that this Python would not load, and why."""
    with zipfile.ZipFile(path) as archive:
        names = frozenset(archive.namelist())
        found = [
            f"  {name}: {fault}"
            for name in sorted(names)
            if elf.is_compiled(name, data := archive.read(name))
            for fault in elf.faults(name, data, names, python_version)
        ]
    if found:
        raise BuildError(
            "\n".join([f"The platform, with Python {python_version}, would not load these files:", *found])
        )
