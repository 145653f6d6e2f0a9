"""Functions for tests: written to a folder, and called."""

import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import requests

from emulator.function_server import FunctionServer

TIMEOUT_SECONDS = 60

# Runs until its folder has a file `release`; the file `running` shows that it has started.
WAITING_HANDLER = """
    import pathlib, time

    def handle(event, context):
        folder = pathlib.Path(__file__).parent
        (folder / "running").touch()
        while not (folder / "release").exists():
            time.sleep(0.02)
        return "done"
    """


def written(folder: Path, source: str, name: str = "handler.py") -> Path:
    """Write `source`, indented or not, as `name` in `folder`, and return the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(source))
    return folder


def get(function: FunctionServer, **parameters: str) -> requests.Response:
    """GET the function's root with the query `parameters`."""
    # A new connection for each request: an idle one would delay the servers' end.
    return requests.get(function.url, parameters, headers={"Connection": "close"}, timeout=TIMEOUT_SECONDS)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when `is_so` returns true; fail if that takes too long."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
