"""The instances' gunicorn configuration: workers are ended as on the platform, and record their state in files."""

import os
import signal
from pathlib import Path
from typing import Any

HANDLER_MODULE = "handler"

# A folder beside the working directory of the workers. Each running worker has a file in it, named by its process id:
# one character long during a request, empty otherwise.
WORKERS_FOLDER = "workers"

# The gateway's header that kills the instance: after this many seconds of the handler's run, or at its end.
KILL_HEADER = "Emulator-Kill-After-Seconds"

errorlog = "-"


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
    """Record, in the master process, that the worker has ended, for any reason."""
    _worker_file(worker).unlink(missing_ok=True)


def worker_abort(_worker: Any) -> None:
    """Kill the worker at a time limit, as the platform does; gunicorn would let it answer with a 500."""
    os.kill(os.getpid(), signal.SIGKILL)


def _worker_file(worker: Any) -> Path:
    return Path(worker.cfg.chdir).parent / WORKERS_FOLDER / str(worker.pid)
