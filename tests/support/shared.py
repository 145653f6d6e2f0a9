"""What the processes of one run have in common, since pytest-xdist runs several: a folder, and turns."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

# Set by the run's first process for those that it starts.
VARIABLE: Final = "TRANSCRIBER_TESTS_FOLDER"


@cache
def shared_folder() -> Path:
    """A folder of this run, removed at its end."""
    return Path(os.environ.get(VARIABLE) or mkdtemp(prefix="tests-"))


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Only one process of the run is in a block of this name at a time."""
    with (shared_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
