"""Checks that the platform can run an archive, however it was built."""

import zipfile
from pathlib import Path

from build_archive.archive import check_compiled_files, measure
from build_archive.errors import BuildError
from build_archive.limits import check_size
from deploy_tools.errors import DeploymentError

HANDLER = "handler.py"
# What is at the root of the archive; anything else came in by mistake, and may be a secret.
ROOT_NAMES = {HANDLER, "transcriber", "package"}
# The handler's bytecode and the standard library's; there is none where the build found no Python of the platform's
# version.
OPTIONAL_ROOT_NAMES = {"__pycache__", "bytecode"}


def check_archive(path: Path, python_version: str) -> None:
    """Raises `DeploymentError` that says what is wrong with the archive at `path` for this Python."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged, names = archive.testzip(), archive.namelist()
        if damaged is not None:
            raise DeploymentError(f"{path}: {damaged} is damaged; build it again.")
        roots = {name.split("/")[0] for name in names}
        if missing := ROOT_NAMES - roots:
            raise DeploymentError(f"{path}: lacks {', '.join(sorted(missing))} at its root.")
        if unknown := roots - ROOT_NAMES - OPTIONAL_ROOT_NAMES:
            raise DeploymentError(f"{path}: holds {', '.join(sorted(unknown))}, which is no part of the function.")
        check_size(measure(path))
        check_compiled_files(path, python_version)
    except (OSError, zipfile.BadZipFile) as error:
        raise DeploymentError(f"{path}: is no archive that can be read ({error}).") from error
    except BuildError as error:
        raise DeploymentError(f"{path}: {error}") from error
