"""gunicorn's configuration of the instances: the platform's orders to a worker, and the list of workers."""

import os
import signal
from pathlib import Path
from typing import Any

HANDLER_MODULE = "handler"

# Beside the working directory of the workers: one file for each that is up, named by its process id; empty, or one
# character long while it has a request.
WORKERS_FOLDER = "workers"

# The gateway's order to die during this request: after this many seconds of the handler's run, or at its end.
KILL_HEADER = "Emulator-Kill-After-Seconds"

errorlog = "-"


def post_worker_init(worker: Any) -> None:
    """Record that the worker is up."""
    _mark(worker).touch()


def pre_request(worker: Any, _request: Any) -> None:
    """Record that the worker has a request."""
    _mark(worker).write_text("b")


def post_request(worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """Record that the worker has answered."""
    _mark(worker).write_text("")


def child_exit(_server: Any, worker: Any) -> None:
    """Record, in the master, that the worker has ended, in whatever way."""
    _mark(worker).unlink(missing_ok=True)


def worker_abort(_worker: Any) -> None:
    """End the worker as the platform does at a time limit: at once; gunicorn would let it answer with a 500."""
    os.kill(os.getpid(), signal.SIGKILL)


def _mark(worker: Any) -> Path:
    return Path(worker.cfg.chdir).parent / WORKERS_FOLDER / str(worker.pid)
