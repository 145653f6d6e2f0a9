"""The whole local platform: the function and everything around it, started and stopped together."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import IO
from urllib.parse import urlsplit

from emulator.closing import Closing
from emulator.control.client import PREFIX, ControlClient
from emulator.control.options import ControlOptions
from emulator.function_server import (
    BUSY_TEXT,
    DEFAULT_MEMORY_LIMIT_MB,
    DEFAULT_QUEUE_LIMIT,
    DEFAULT_QUEUE_TIMEOUT_SECONDS,
    DEFAULT_RETRY_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    FORBIDDEN_TEXT,
    FunctionServer,
)
from emulator.generative.quota import MINUTE_SECONDS, QuotaOptions
from emulator.generative.server import GenerativeServer, RecogniserName
from emulator.processes import bind_port, port_of
from emulator.runtime.handler_name import DEFAULT_HANDLER, configured_handler
from emulator.storage.server import DEFAULT_BUCKET, StorageAccess, StorageServer
from emulator.triggers.delivery_time import longest_delivery_seconds, visibility_timeout_seconds
from emulator.triggers.schedules import Schedule, read_schedules

# The folder of this repository; its function is served by default.
REPOSITORY = Path(__file__).resolve().parent.parent.parent

KEY = "GENERATIVE_API_KEY"
URL = "GENERATIVE_API_URL"
# The function's setting for a quota's minute of another length.
MINUTE = "MINUTE_SECONDS"
CALLBACK_SECRET = "CALLBACK_SECRET"  # noqa: S105 # the variable's name, not a secret
PRIVATE_HOSTS = "ALLOWED_PRIVATE_HOSTS"
# Standard Webhooks requires 24 to 64.
CALLBACK_SECRET_BYTES = 32


@dataclass(frozen=True)
class PlatformOptions:
    """The options of the commands; `folder` may be an archive, and port 0 means any free one."""

    folder: Path = REPOSITORY
    port: int = 0
    api_port: int = 0
    instances: int = 1
    private_token: str | None = None
    reload: bool = False
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    memory_limit_mb: int = DEFAULT_MEMORY_LIMIT_MB
    recogniser: RecogniserName = "whisper"
    model_folder: Path | None = None
    real_time_factor: float | None = None
    # The organisation's quota of the emulated APIs; without it, nothing is limited.
    quota: QuotaOptions | None = None
    # Object storage, the queue and the triggers; without them, the platform starts faster.
    storage: bool = False
    storage_port: int = 0
    control_port: int = 0
    bucket: str = DEFAULT_BUCKET
    data_folder: Path | None = None
    # The file with the schedules; by default the folder's own `serverless.yml`, if it has one.
    config: Path | None = None
    retry_seconds: float = DEFAULT_RETRY_SECONDS
    # The handler's name; by default that of the `serverless.yml`, or `handler.handle`.
    handler: str | None = None
    queue_limit: int = DEFAULT_QUEUE_LIMIT
    queue_timeout_seconds: float = DEFAULT_QUEUE_TIMEOUT_SECONDS
    forbidden_text: str = FORBIDDEN_TEXT
    busy_text: str = BUSY_TEXT
    wedge_on_long_lines: bool = False


class LocalPlatform(Closing):
    """The function and the services that it uses, until closed.

    The function's environment is `environment` with the services' settings added. If it has a `GENERATIVE_API_KEY`, the
    function calls the real API, and `apis` is `None`; otherwise it calls the emulated one, `apis`. With
    `options.storage`, there are also object storage and a queue, `storage`, added to the settings unless `environment`
    has others, and triggers and faults, `control`. Raises `ServerFailedError` and `RecogniserUnavailableError`.
    """

    def __init__(
        self, options: PlatformOptions, environment: Mapping[str, str], *, output: IO[bytes] | None = None
    ) -> None:
        environment = dict(environment)
        self.apis: GenerativeServer | None = None
        self.storage: StorageServer | None = None
        self.control: ControlClient | None = None
        control: ControlOptions | None = None
        control_socket: socket | None = None
        with ExitStack() as stack:
            if options.storage:
                schedules = _schedules(options)
                longest_seconds = longest_delivery_seconds(
                    timeout_seconds=options.timeout_seconds,
                    queue_timeout_seconds=options.queue_timeout_seconds,
                    retry_seconds=options.retry_seconds,
                )
                # Started first and awaited last, since importing moto takes longest.
                self.storage = stack.enter_context(
                    StorageServer(
                        port=options.storage_port,
                        bucket=options.bucket,
                        visibility_timeout_seconds=visibility_timeout_seconds(longest_seconds),
                        folder=options.data_folder,
                        output=output,
                    )
                )
                control_socket = stack.enter_context(bind_port(options.control_port))
                self.control = stack.enter_context(ControlClient(port_of(control_socket)))
                environment = _with_storage(environment, self.storage.access)
            if not environment.get(KEY):
                self.apis = stack.enter_context(
                    GenerativeServer(
                        port=options.api_port,
                        recogniser=options.recogniser,
                        model_folder=options.model_folder,
                        real_time_factor=options.real_time_factor,
                        quota=options.quota,
                        wait=False,
                        output=output,
                    )
                )
                environment |= {KEY: self.apis.key, URL: self.apis.url}
                if options.quota is not None and options.quota.minute_seconds != MINUTE_SECONDS:
                    environment[MINUTE] = f"{options.quota.minute_seconds:g}"
            if self.storage is not None:
                admin = None if self.apis is None else self.apis.url.removesuffix("/v1") + PREFIX
                control = ControlOptions(self.storage.access, schedules, admin)
            # The platform ends a request at its timeout, so the function has to answer a little earlier.
            environment.setdefault("TIME_LIMIT", str(max(1, options.timeout_seconds - 10)))
            self.function = stack.enter_context(
                FunctionServer(
                    options.folder,
                    port=options.port,
                    instances=options.instances,
                    environment=environment,
                    private_token=options.private_token,
                    reload=options.reload,
                    timeout_seconds=options.timeout_seconds,
                    memory_limit_mb=options.memory_limit_mb,
                    retry_seconds=options.retry_seconds,
                    handler=handler_of(options),
                    queue_limit=options.queue_limit,
                    queue_timeout_seconds=options.queue_timeout_seconds,
                    forbidden_text=options.forbidden_text,
                    busy_text=options.busy_text,
                    wedge_on_long_lines=options.wedge_on_long_lines,
                    control=control,
                    control_socket=control_socket,
                    output=output,
                )
            )
            for server in (self.apis, self.storage):
                if server is not None:
                    server.wait_until_ready()
            self._servers = stack.pop_all()

    def close(self) -> None:
        """Stop all servers."""
        # Callers stop before the servers that they call, and all at once: each takes about 0.3 s to end.
        for server in (self.function, self.apis, self.storage):
            if server is not None:
                server.begin_closing()
        self._servers.close()


def handler_of(options: PlatformOptions) -> str:
    """The handler that is served; raises `HandlerNameError`."""
    config = _config(options)
    return options.handler or (DEFAULT_HANDLER if config is None else configured_handler(config))


def _schedules(options: PlatformOptions) -> tuple[Schedule, ...]:
    config = _config(options)
    return () if config is None else read_schedules(config)


def _config(options: PlatformOptions) -> Path | None:
    own = options.folder / "serverless.yml"
    return options.config or (own if own.is_file() else None)


def _with_storage(environment: Mapping[str, str], access: StorageAccess) -> dict[str, str]:
    """`environment` with the settings of storage and of queue, each only if `environment` has none of the group."""
    added = {CALLBACK_SECRET: "whsec_" + b64encode(secrets.token_bytes(CALLBACK_SECRET_BYTES)).decode()}
    for group, *more in (("S3_", "OUTPUT_BUCKET"), ("QUEUE_",)):
        if not any(name.startswith(group) and value for name, value in environment.items()):
            names = (group, *more)
            added |= {name: value for name, value in access.function_environment.items() if name.startswith(names)}
    # Scaleway's object URLs have public hosts; these are on this machine, which the function refuses by default.
    hosts = filter(None, [environment.get(PRIVATE_HOSTS), urlsplit(access.endpoint).netloc])
    return {**added, **environment, PRIVATE_HOSTS: ",".join(hosts)}
