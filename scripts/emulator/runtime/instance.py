"""The sub-runtime: runs a function's handler, one request at a time, on the main thread of a gunicorn sync worker.

Like the platform's, it is a Flask application that imports the handler inside the first request, and trusts the core
(`emulator.runtime.gateway`), the only client of its socket.
"""

import importlib
import os
import signal
import sys
import threading
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import flask

from emulator.processes import SCRIPTS
from emulator.runtime import answers
from emulator.runtime.handler_name import HandlerName, parse_handler_name
from emulator.runtime.instance_config import KILL_HEADER
from emulator.runtime.log_limit import limit_lines

DEPENDENCIES_FOLDER = "package"
EMULATOR = "emulator"

IMPORT_FAILED = (
    "Function Handler does not exist, check that you provided the right HANDLER parameter "
    "(path to your module with exported function to use), check your function logs"
)


class HandlerImportError(Exception):
    """The handler cannot be imported; the log says why, as on the platform."""


def create_app(*, folder: str, handler: str, wedge_on_long_lines: bool = False) -> flask.Flask:
    """The application that runs the `handler`, such as `handler.handle`, of `folder`, the path of a function's folder.

    With `wedge_on_long_lines`, a line of 64 KiB in its output stops the reading of its log.
    """
    if wedge_on_long_lines:
        limit_lines()
    name = parse_handler_name(handler)
    _hide_emulator()
    # First on the path, as on the platform, but only now: the modules that serve this application are imported already,
    # so dependencies built for the platform's musl cannot replace them.
    sys.path[:0] = [str(Path(folder) / name.folder), str(Path(folder) / DEPENDENCIES_FOLDER)]
    if isinstance(sys.stdout, TextIOWrapper):
        # On a terminal each line would appear at once; the platform's log is a pipe, with block buffering.
        sys.stdout.reconfigure(line_buffering=False)

    app = flask.Flask("sub-runtime", static_folder=None)
    app.add_url_rule("/", view_func=lambda: _run(name), methods=["POST"])
    return app


def _hide_emulator() -> None:
    """Leave the emulator's package to this module alone, so that a function may have one of that name."""
    for name in [name for name in sys.modules if name.partition(".")[0] == EMULATOR]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry != str(SCRIPTS)]


def _run(name: HandlerName) -> tuple[str, int]:
    invocation = flask.request.get_json()
    kill_after = flask.request.headers.get(KILL_HEADER)
    if kill_after is not None:
        timer = threading.Timer(float(kill_after), _kill_this_process)
        timer.daemon = True
        timer.start()
    try:
        returned = _handler(name)(invocation["event"], invocation["context"])
    except Exception as error:  # noqa: BLE001 # the platform answers with any exception's text, and logs nothing
        return str(error), 500
    finally:
        sys.stdout.flush()
        if kill_after is not None:
            _kill_this_process()
    # A value that is not JSON fails after the `try`, as on the platform: a traceback, and Flask's own 500.
    return answers.text_of(returned), 200


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _handler(name: HandlerName) -> Any:
    """The handler function; imported once, and tried again at every request while the import fails."""
    importlib.invalidate_caches()
    try:
        return getattr(importlib.import_module(name.module), name.function)
    except Exception as error:  # a module may raise anything; the platform has one text for all
        print(error)  # the platform logs this instead of a traceback
        raise HandlerImportError(IMPORT_FAILED) from error
