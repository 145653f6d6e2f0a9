"""Tests of the folder from which an archive's servers import."""

import os
import subprocess
import sys
from pathlib import Path

from emulator.runtime.import_folder import make_import_folder


def test_the_folder_has_only_the_modules_of_the_servers(tmp_path: Path) -> None:
    """The folder and the standard library are enough for an instance; other packages cannot be imported."""
    folder = make_import_folder(tmp_path / "imports")
    source = (
        "import gunicorn.app.wsgiapp, gunicorn.workers.sync, importlib.util, emulator.runtime.instance\n"
        "print(emulator.runtime.instance.create_app(folder='/', handler='handler.handle').name)\n"
        "print([name for name in ('pip', 'requests', 'pydantic', 'scaleway_functions_python')"
        " if importlib.util.find_spec(name)])\n"
    )
    done = subprocess.run(  # noqa: S603 # our own source
        [sys.executable, "-S", "-s", "-P", "-c", source],
        env={"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("sub-runtime\n[]\n", "")
