"""Unpacks a function's archive as the platform does: within its limits, into a read-only folder."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from emulator.processes import ServerFailedError

# The platform's documented limits.
MAX_ARCHIVE_BYTES = 100 * 1024 * 1024
MAX_UNPACKED_BYTES = 500 * 1024 * 1024

READ_ONLY_FILE = 0o444
READ_ONLY_FOLDER = 0o555
OWN_FOLDER = 0o755

# An extension module for one Python, system and libc names them before its `.so`; Python skips those of others.
_FOR_ONE_MACHINE = re.compile(r"\.cpython-[^./]*\.so$")


class ArchiveRefusedError(ServerFailedError):
    """The archive cannot be served; the message says why."""


@contextmanager
def unpacked(archive: Path, folder: Path, handler_file: str) -> Iterator[Path]:
    """The new `folder` with the content of `archive`, files and folders read-only, until the end of the context.

    The archive has to have the `handler_file`, a path in it.

    Root may write even there, so run Python with `-B`, which leaves no bytecode beside a module.
    Raises `ArchiveRefusedError`.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            _check(archive, content, handler_file)
            content.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise ArchiveRefusedError(f"{archive} cannot be unpacked: {error}") from error
    try:
        for path in folder.rglob("*"):
            path.chmod(READ_ONLY_FOLDER if path.is_dir() else READ_ONLY_FILE)
        folder.chmod(READ_ONLY_FOLDER)
        yield folder
    finally:
        # So that the folder can be removed.
        folder.chmod(OWN_FOLDER)
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(OWN_FOLDER)


def _check(archive: Path, content: zipfile.ZipFile, handler_file: str) -> None:
    names = content.namelist()
    unpacked_bytes = sum(entry.file_size for entry in content.infolist())
    if archive.stat().st_size > MAX_ARCHIVE_BYTES or unpacked_bytes > MAX_UNPACKED_BYTES:
        raise ArchiveRefusedError(
            f"{archive} has {archive.stat().st_size} bytes, and {unpacked_bytes} unpacked; the platform takes "
            f"{MAX_ARCHIVE_BYTES}, and {MAX_UNPACKED_BYTES}"
        )
    if handler_file not in names:
        raise ArchiveRefusedError(f"there is no {handler_file} in {archive}")
    foreign = [name for name in names if (tag := _FOR_ONE_MACHINE.search(name)) and tag[0] not in EXTENSION_SUFFIXES]
    if foreign:
        raise ArchiveRefusedError(
            f"{archive} is built for another machine ({foreign[0]}): make one with scripts/build --local"
        )
