"""Archives that scripts/build made, once for all tests of a run."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.shared import one_at_a_time, shared_folder

ROOT = Path(__file__).parents[2]
BUILD_TIMEOUT_SECONDS = 600


def run_build(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does; `environment` None means this process's own."""
    command = [str(ROOT / "scripts" / "build"), *map(str, arguments)]
    return subprocess.run(  # noqa: S603 # our own command
        command, env=environment, capture_output=True, text=True, timeout=BUILD_TIMEOUT_SECONDS, check=False
    )


@dataclass(frozen=True)
class Built:
    """An archive, alone in its folder, and what the command printed."""

    path: Path
    stdout: str
    stderr: str


@cache
def built(*options: str) -> Built:
    """What the command makes with `options`; it is there until the end of the run."""
    name = "".join(("archive", *options))
    path = shared_folder() / name / "function.zip"
    printed = shared_folder() / f"{name}.json"
    with one_at_a_time(name):
        if not printed.exists():
            path.parent.mkdir(exist_ok=True)
            done = run_build(*options, "--output", path)
            assert done.returncode == 0, done.stderr
            printed.write_text(json.dumps([done.stdout, done.stderr]))
    return Built(path, *json.loads(printed.read_text()))
