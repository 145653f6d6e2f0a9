"""The whole local platform: the function, and the Generative APIs that it calls, started and stopped together."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emulator.closing import Closing
from emulator.function_server import DEFAULT_MEMORY_LIMIT_MB, DEFAULT_TIMEOUT_SECONDS, FunctionServer
from emulator.generative_server import GenerativeServer, RecogniserName

# The folder of this repository, whose function is served unless another one is named.
REPOSITORY = Path(__file__).resolve().parent.parent.parent

KEY = "GENERATIVE_API_KEY"
URL = "GENERATIVE_API_URL"


@dataclass(frozen=True)
class PlatformOptions:
    """What the commands let a user choose; the defaults are theirs. `folder` may be an archive."""

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


class LocalPlatform(Closing):
    """The function in an environment made of `environment`, until closed.

    Where that holds a `GENERATIVE_API_KEY`, the function calls the API that it is for, and `apis` is None; otherwise it
    calls emulated ones, which are `apis`. Raises `ServerFailedError` and `RecogniserUnavailableError`.
    """

    def __init__(
        self, options: PlatformOptions, environment: Mapping[str, str], *, output: IO[bytes] | None = None
    ) -> None:
        environment = dict(environment)
        self.apis: GenerativeServer | None = None
        with ExitStack() as stack:
            if not environment.get(KEY):
                self.apis = stack.enter_context(
                    GenerativeServer(
                        port=options.api_port,
                        recogniser=options.recogniser,
                        model_folder=options.model_folder,
                        real_time_factor=options.real_time_factor,
                        output=output,
                    )
                )
                environment |= {KEY: self.apis.key, URL: self.apis.url}
            # The platform stops a request at its timeout, so the function has to answer a little earlier.
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
                    output=output,
                )
            )
            self._servers = stack.pop_all()

    def close(self) -> None:
        """Stop everything."""
        self._servers.close()
