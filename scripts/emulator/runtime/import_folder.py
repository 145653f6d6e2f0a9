"""Makes a folder of what an instance's own servers import, for instances that must not see this environment.

What is tested from an archive is worth nothing if a dependency that the archive lacks is found in `.venv`. So the
instances of an archive run without site packages (`python -S`), and import from three places alone: the function's own
tree, Python's standard library, and this folder, which links to the few modules that serve the function. Those are
seen by a function in the cloud too, whose runtime is a Flask application.
"""

import importlib.util
from pathlib import Path

from emulator.processes import SCRIPTS

# gunicorn, Flask, and what Flask cannot be without. One that is missing here stops the servers at their start.
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
