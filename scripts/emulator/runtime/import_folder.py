"""Makes a folder of the modules that an instance's server imports, for instances isolated from this environment.

A test of an archive proves nothing if a dependency that the archive lacks is found in `.venv`. So the instances of an
archive run without site packages (`python -S`), and import from three places only: the function's own tree, Python's
standard library, and this folder, which links to the few modules that serve the function. In the cloud, a function can
import those, too: its runtime is a Flask application.
"""

import importlib.util
from pathlib import Path

from emulator.processes import SCRIPTS

# gunicorn, Flask, and Flask's dependencies. Without one of them, the server does not start.
SERVER_MODULES = ("gunicorn", "flask", "werkzeug", "jinja2", "markupsafe", "itsdangerous", "click", "blinker")


def make_import_folder(folder: Path) -> Path:
    """The new `folder`, filled with links to the modules, and to the emulator itself."""
    folder.mkdir()
    (folder / "emulator").symlink_to(SCRIPTS / "emulator", target_is_directory=True)
    for name in SERVER_MODULES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        module = Path(spec.origin).parent
        (folder / name).symlink_to(module, target_is_directory=True)
    return folder
