"""Serves a function as the platform does, for the emulator's commands and for tests."""

import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from emulator.closing import Closing
from emulator.control.options import CONTROL_VARIABLE, ControlOptions
from emulator.processes import LOOPBACK, GunicornProcess, accepts_connections, bind_port, port_of
from emulator.runtime.function_archive import unpacked
from emulator.runtime.gateway_config import PRIVATE_TOKEN_VARIABLE
from emulator.runtime.handler_name import DEFAULT_HANDLER, parse_handler_name
from emulator.runtime.import_folder import make_import_folder
from emulator.runtime.instance_config import WORKERS_FOLDER

# The platform's defaults.
DEFAULT_TIMEOUT_SECONDS = 300
DEFAULT_MEMORY_LIMIT_MB = 256

# The number of requests that may wait for an instance, and their longest wait. The platform documents that it has
# limits, but not their values: enough for a burst, and no longer than a function's default timeout.
DEFAULT_QUEUE_LIMIT = 100
DEFAULT_QUEUE_TIMEOUT_SECONDS = 300.0

# The bodies of two answers whose platform's own texts are not documented. The first is the error that the
# open-sourced runtime (2021) logs for a request without a token; the second is a guess.
FORBIDDEN_TEXT = "authentication token was not provided in the request"
BUSY_TEXT = "All instances of the function are busy"

# For how long the platform's core tries to reach an instance that has ended: 200 times, 50 ms apart.
DEFAULT_RETRY_SECONDS = 10.0

GATEWAY_WORKER = "emulator.runtime.gateway_worker.GatewayWorker"

# The gateway's threads beyond those for running and waiting requests; they answer 503.
SPARE_THREADS = 20

# Closing does not wait for a running handler.
GRACEFUL_TIMEOUT_SECONDS = 1


class FunctionServer(Closing):
    """The function in `folder` on a port of loopback until closed; `handler` is named as in `serverless.yml`.

    `folder` may be an archive: it is unpacked as on the platform, and served from its content only. Then nothing is
    imported from this environment, and nothing can be written into the folder. It cannot be reloaded.

    `port` 0 means any free one. `instances` is the number of requests that run at the same time, each in a process of
    its own; `queue_limit` more may wait, each for `queue_timeout_seconds`; further ones get a 503. `environment` is the
    whole environment of the function. `private_token` makes the function private: a request needs it as
    `X-Auth-Token`. `reload` restarts the instances when a source file of the function changes. A request that takes
    longer than `timeout_seconds` ends as if its instance had been killed, and is answered `retry_seconds` later.
    `forbidden_text` and `busy_text` are the bodies of the 403 and the 503. With `wedge_on_long_lines`, an instance
    whose output has a line of 64 KiB hangs in its next writes. `memory_limit_mb` is given to the handler, but not
    enforced. The log of function and servers goes to `output`, or to this process's own output. With `control`, the
    gateway's process also runs the platform's triggers and faults, and serves the control's endpoints on
    `control_socket`.

    Raises `ServerFailedError` if the servers do not start.
    """

    def __init__(
        self,
        folder: Path,
        *,
        handler: str = DEFAULT_HANDLER,
        port: int = 0,
        instances: int = 1,
        environment: Mapping[str, str] | None = None,
        private_token: str | None = None,
        reload: bool = False,
        timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS,
        memory_limit_mb: int = DEFAULT_MEMORY_LIMIT_MB,
        queue_limit: int = DEFAULT_QUEUE_LIMIT,
        queue_timeout_seconds: float = DEFAULT_QUEUE_TIMEOUT_SECONDS,
        retry_seconds: float = DEFAULT_RETRY_SECONDS,
        forbidden_text: str = FORBIDDEN_TEXT,
        busy_text: str = BUSY_TEXT,
        wedge_on_long_lines: bool = False,
        control: ControlOptions | None = None,
        control_socket: socket.socket | None = None,
        output: IO[bytes] | None = None,
    ) -> None:
        folder = folder.resolve()
        handler_file = parse_handler_name(handler).file
        function_name = folder.stem if folder.is_file() else folder.name
        import_folder: Path | None = None
        with ExitStack() as stack:
            gateway_socket = stack.enter_context(bind_port(port))
            self.port = port_of(gateway_socket)
            run_folder = Path(stack.enter_context(TemporaryDirectory(prefix="function-")))
            # As on the platform, the working directory is not the function's folder.
            working_folder = run_folder / "work"
            working_folder.mkdir()
            self._workers_folder = run_folder / WORKERS_FOLDER
            self._workers_folder.mkdir()
            socket_path = run_folder / "instances.sock"
            if folder.is_file():
                import_folder = make_import_folder(run_folder / "imports")
                folder = stack.enter_context(unpacked(folder, run_folder / "function", handler_file))

            application = "emulator.runtime.gateway:create_app"
            gateway_environment = {} if private_token is None else {PRIVATE_TOKEN_VARIABLE: private_token}
            control_arguments: dict[str, str | float] = {}
            log: IO[bytes] | int | None = output
            inherited: list[int] = []
            if control is not None and control_socket is not None:
                stack.enter_context(control_socket)
                # The gateway reads the instances' log, keeps its latest lines, and passes it on.
                log_end, log = os.pipe()
                stack.callback(os.close, log_end)
                stack.callback(os.close, log)
                inherited = [log_end, control_socket.fileno()]
                application = "emulator.platform_gateway:create_app"
                gateway_environment[CONTROL_VARIABLE] = control.to_json()
                control_arguments = {
                    "function_url": self.url,
                    "timeout_seconds": timeout_seconds,
                    "workers_folder": str(self._workers_folder),
                    "log_end": log_end,
                    "listener": control_socket.fileno(),
                }

            reloading = ["--reload", "--reload-extra-file", str(folder / handler_file)] if reload else []
            function = GunicornProcess(
                _call(
                    "emulator.runtime.instance:create_app",
                    folder=str(folder),
                    handler=handler,
                    wedge_on_long_lines=wedge_on_long_lines,
                ),
                bind=socket_path,
                arguments=[
                    *("--config", "python:emulator.runtime.instance_config"),
                    *("--workers", str(instances), "--worker-class", "sync", "--timeout", str(timeout_seconds)),
                    *("--graceful-timeout", str(GRACEFUL_TIMEOUT_SECONDS)),
                    *reloading,
                ],
                environment=environment or {},
                working_folder=working_folder,
                import_folder=import_folder,
                output=log,
            )
            stack.enter_context(function)
            gateway = GunicornProcess(
                _call(
                    application,
                    socket_path=str(socket_path),
                    instances=instances,
                    function_name=function_name,
                    memory_limit_mb=memory_limit_mb,
                    queue_limit=queue_limit,
                    queue_timeout_seconds=queue_timeout_seconds,
                    retry_seconds=retry_seconds,
                    forbidden_text=forbidden_text,
                    busy_text=busy_text,
                    **control_arguments,
                ),
                bind=gateway_socket,
                arguments=[
                    *("--config", "python:emulator.runtime.gateway_config"),
                    *("--workers", "1", "--worker-class", GATEWAY_WORKER),
                    *("--threads", str(instances + queue_limit + SPARE_THREADS)),
                    *("--graceful-timeout", str(GRACEFUL_TIMEOUT_SECONDS)),
                ],
                environment=gateway_environment,
                working_folder=working_folder,
                output=output,
                inherited=inherited,
            )
            stack.enter_context(gateway)
            control_port = None if control_socket is None else port_of(control_socket)
            if control_socket is not None:
                control_socket.close()  # the gateway's process has it now
            function.wait_until(lambda: len(self.instance_pids()) == instances)
            gateway.wait_until_ready()
            if control_port is not None:
                gateway.wait_until(lambda: accepts_connections(control_port))
            self._processes = (gateway, function)
            self._servers = stack.pop_all()

    @property
    def url(self) -> str:
        """The function's address, without a trailing slash."""
        return f"http://{LOOPBACK}:{self.port}"

    def instance_pids(self) -> list[int]:
        """The process ids of the running instances."""
        return sorted(int(file.name) for file in self._workers_folder.iterdir())

    def begin_closing(self) -> None:
        """Begin to stop the gateway and the instances; `close` waits for their end."""
        for process in self._processes:
            process.begin_closing()

    def close(self) -> None:
        """Stop the gateway and the instances; running requests are aborted."""
        self.begin_closing()
        self._servers.close()


def _call(factory: str, **arguments: str | float) -> str:
    """The application as gunicorn takes it: a call of `factory` with literals as arguments."""
    return f"{factory}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
