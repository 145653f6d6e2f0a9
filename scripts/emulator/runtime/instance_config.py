"""The instances' gunicorn configuration: workers are ended as on the platform, and record their state in files."""

import os
import signal
from pathlib import Path
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

# A folder beside the working directory of the workers. Each running worker has a file in it, named by its process id:
# one character long during a request, empty otherwise.
WORKERS_FOLDER = "workers"

# The gateway's header that kills the instance: after this many seconds of the handler's run, or at its end.
KILL_HEADER = "Emulator-Kill-After-Seconds"

# No process can exit with it.
NO_STATUS = -1

errorlog = "-"


def on_starting(server: Any) -> None:
    """Take two exit statuses their meaning: gunicorn ends for good when a worker exits with one of them.

    It takes them for a failed start. A handler can exit with any status, so `child_exit` recognises a failed start by
    the missing file.
    """
    server.WORKER_BOOT_ERROR = server.APP_LOAD_ERROR = NO_STATUS


def post_worker_init(worker: Any) -> None:
    """Record that the worker is running."""
    _worker_file(worker).touch()


def pre_request(worker: Any, _request: Any) -> None:
    """Record that the worker has a request."""
    _worker_file(worker).write_text("b")


def post_request(worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """Record that the worker has answered."""
    _worker_file(worker).write_text("")


def child_exit(_server: Any, worker: Any) -> None:
    """Record, in the master process, that the worker has ended, for any reason; one that never ran ends the server."""
    try:
        _worker_file(worker).unlink()
    except FileNotFoundError:
        raise HaltServer("Worker failed to boot.", Arbiter.WORKER_BOOT_ERROR) from None


def worker_abort(_worker: Any) -> None:
    """Kill the worker at a time limit, as the platform does; gunicorn would let it answer with a 500."""
    os.kill(os.getpid(), signal.SIGKILL)


def _worker_file(worker: Any) -> Path:
    return Path(worker.cfg.chdir).parent / WORKERS_FOLDER / str(worker.pid)
