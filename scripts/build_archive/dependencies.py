"""The dependencies' part of the archive: wheels for the target, exactly those that the lock names."""

import shutil
import subprocess
import sys

from uv import find_uv_bin

from build_archive.errors import BuildError
from build_archive.job import Job

# Installed, but never read: commands for a shell, which name this machine's Python and so differ from build to
# build; the list of the files with their hashes, those of the commands among them; and marks of the installer. The rest
# of a wheel stays, its licence and its metadata too: whatever else could go without risk is less than 2 % of the whole.
UNREAD = ("bin", ".lock", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "**/__pycache__")


def install_dependencies(job: Job) -> None:
    """Fill `package/` with what `requirements.txt` pins; raises `BuildError` with uv's own words.

    By uv, not by pip: it reads the lock's markers as the target would, where pip asks the Python that it runs in, and
    it knows which of musl's wheels the target takes, where pip has to be told each kind.
    """
    job.tree.mkdir(parents=True, exist_ok=True)
    target = job.target
    command = [find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(job.package)]
    command += ["--require-hashes", "--only-binary", ":all:", "--link-mode", "copy", "--no-compile-bytecode"]
    command += ["--requirements", str((job.repository / "requirements.txt").resolve())]
    if target.uv_platform is not None:
        command += ["--python-platform", target.uv_platform, "--python-version", target.python_version]
    # Run in the tree, where uv finds no settings of a project: what is locked is what is taken.
    done = subprocess.run(command, cwd=job.tree, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"The dependencies for {target.name} cannot be installed. uv says:\n{done.stderr.strip()}")


def drop_what_nobody_reads(job: Job) -> None:
    """Remove from `package/` what would make two builds differ, and what no Python imports."""
    for pattern in UNREAD:
        for path in list(job.package.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
