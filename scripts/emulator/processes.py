"""Starts and stops the emulator's servers, each a gunicorn in a process group of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from emulator.closing import Closing

LOOPBACK = "127.0.0.1"

# A server that is not ready by then has failed: the slowest start, importing Flask on a busy machine, takes 3 s.
READY_TIMEOUT_SECONDS = 30.0
# A server that has not stopped by then is killed, with its workers: no client waits for an answer any more, and what
# is kept is written at once. An idle one takes 0.3 s.
STOP_TIMEOUT_SECONDS = 0.7
POLL_SECONDS = 0.02

SCRIPTS = Path(__file__).resolve().parent.parent


class ServerFailedError(Exception):
    """A server of the emulator did not start; the message names it, and its output has the reason."""


def accepts_connections(bind: int | Path) -> bool:
    """Whether a server listens on this port of loopback, or on this Unix socket."""
    if isinstance(bind, Path):
        probe, address = socket.socket(socket.AF_UNIX), str(bind)
    else:
        probe, address = socket.socket(), (LOOPBACK, bind)  # type: ignore[assignment] # an address has either type
    with probe:
        return probe.connect_ex(address) == 0


def bind_port(port: int = 0) -> socket.socket:
    """A socket bound to `port` of loopback, 0 for any free one; connections are refused until a server listens on it.

    The socket reserves the port: between choosing a number and binding it, another process could take it. Raises
    `ServerFailedError` if the port is in use.
    """
    bound = socket.socket()
    if port:
        # As gunicorn does, so that a restart works. Not for a free port: the kernel could assign it twice.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise ServerFailedError(f"Port {port} cannot be listened on: {error.strerror}") from error
    return bound


def port_of(bound: socket.socket) -> int:
    """The port that a socket is bound to."""
    return int(bound.getsockname()[1])


class GunicornProcess(Closing):
    """A gunicorn that serves one WSGI application on loopback until it is closed.

    `application` has gunicorn's form, `module:name` or `module:factory(argument="literal")`. `bind` is a socket from
    `bind_port`, which the process takes over, or the path of a Unix socket. `arguments` are passed to gunicorn.
    `environment` is the whole environment of the process. The emulator's package and `working_folder` (by default this
    process's) are on its import path. With an `import_folder`, modules come only from there and from the standard
    library, and no bytecode is written. The file descriptors in `inherited` stay open in the process.
    """

    def __init__(
        self,
        application: str,
        *,
        bind: socket.socket | Path,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        working_folder: Path | None = None,
        import_folder: Path | None = None,
        output: IO[bytes] | int | None = None,
        inherited: Sequence[int] = (),
    ) -> None:
        self.application = application
        self.bind = bind if isinstance(bind, Path) else port_of(bind)
        environment = dict(os.environ if environment is None else environment)
        if import_folder is None:
            python = [sys.executable]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SCRIPTS), environment.get("PYTHONPATH")]))
        else:
            python = [sys.executable, "-S", "-s", "-B"]
            environment["PYTHONPATH"] = str(import_folder)
        if isinstance(bind, Path):
            address = f"unix:{bind}"
        else:
            address = f"fd://{bind.fileno()}"
            inherited = [*inherited, bind.fileno()]
        command = [*python, "-m", "gunicorn", "--bind", address, "--no-control-socket", "--log-level", "warning"]
        self._kill_at: float | None = None
        self._process = subprocess.Popen(
            [*command, *arguments, application],
            cwd=working_folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=inherited,
            start_new_session=True,  # so that Ctrl-C reaches only the emulator, which then stops its servers in order
        )
        if not isinstance(bind, Path):
            bind.close()  # otherwise the port would stay in use after the server's end

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master."""
        return self._process.pid

    def wait_until_ready(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """Return when the server accepts connections; `ServerFailedError` if it ends or takes too long."""
        self.wait_until(lambda: accepts_connections(self.bind), timeout_seconds)

    def wait_until(self, is_ready: Callable[[], bool], timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """Return when `is_ready` returns true; `ServerFailedError` if the server ends or takes too long."""
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            if self._process.poll() is not None:
                raise ServerFailedError(f"{self.application} ended with status {self._process.returncode} at its start")
            if time.monotonic() > deadline:
                self.close()
                raise ServerFailedError(f"{self.application} was not ready after {timeout_seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def begin_closing(self) -> None:
        """Begin to stop the server; `close` waits for its end."""
        if self._process.poll() is None and self._kill_at is None:
            self._process.terminate()
            self._kill_at = time.monotonic() + STOP_TIMEOUT_SECONDS

    def close(self) -> None:
        """Stop the server with all of its processes."""
        if self._process.poll() is None:
            self.begin_closing()
            try:
                self._process.wait(max(0.0, (self._kill_at or 0.0) - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if isinstance(self.bind, Path):
            self.bind.unlink(missing_ok=True)
