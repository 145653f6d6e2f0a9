"""scripts/test-pythons: each Python that it cannot try is named."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_pythons_that_are_not_there_are_named(tmp_path: Path) -> None:
    """One that is not on the machine, or on PATH but does not run, is said not to be found; the run goes on."""
    for name in ("bash", "dirname", "nproc"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    for version in ("3.11", "3.12", "3.13", "3.14"):
        # As pyenv's commands are, of versions that are installed and not chosen.
        (tmp_path / f"python{version}").write_text("#!/bin/sh\nexit 127\n")
        (tmp_path / f"python{version}").chmod(0o755)
    done = subprocess.run(  # noqa: S603 # our own command
        [str(ROOT / "scripts" / "test-pythons")],
        env={**os.environ, "PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    own = "{}.{}".format(*sys.version_info[:2])
    assert re.findall(r"^Python ([\d.]+): (in \.venv|NOT FOUND)", done.stdout, re.MULTILINE) == [
        (version, "in .venv" if version == own else "NOT FOUND") for version in ("3.11", "3.12", "3.13", "3.14")
    ]
