"""The local platform for the command: the same function with storage and queue of its own, which end with it."""

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from emulator.local_platform import LocalPlatform, PlatformOptions
from emulator.processes import ServerFailedError
from emulator.recognisers.model_files import RecogniserUnavailableError
from transcribe_client.errors import FunctionUnavailableError

# The longest timeout of a function on the platform.
TIMEOUT_SECONDS = 3600
# The part of the servers' output that is shown if they do not start.
SHOWN_OUTPUT_BYTES = 2_000
# Settings of a deployed function that would lead away from this machine, or lock the command out.
DEPLOYED = ("S3_", "QUEUE_", "OUTPUT_", "ACCESS_TOKEN", "CALLBACK_SECRET")


@contextmanager
def local_function(arguments: Namespace, *, at_once: int) -> Iterator[str]:
    """The address of a function on this machine, until left, which works on `at_once` recordings at the same time.

    Raises `FunctionUnavailableError`.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(DEPLOYED)}
    options = PlatformOptions(
        storage=True,
        timeout_seconds=TIMEOUT_SECONDS,
        model_folder=arguments.model,
        # One is for looks at the jobs that the others work on.
        instances=at_once + 1,
    )
    # No pipe: nothing reads it while the servers run.
    with TemporaryFile() as file:
        output: IO[bytes] | None = None if arguments.verbose else file
        try:
            platform = LocalPlatform(options, environment, output=output)
        except (ServerFailedError, RecogniserUnavailableError) as error:
            raise FunctionUnavailableError(f"{error}\n{_end_of(output)}".rstrip()) from error
        with platform:
            yield platform.function.url


def _end_of(output: IO[bytes] | None) -> str:
    if output is None:
        return ""
    output.seek(max(0, output.seek(0, os.SEEK_END) - SHOWN_OUTPUT_BYTES))
    return output.read().decode(errors="replace")
