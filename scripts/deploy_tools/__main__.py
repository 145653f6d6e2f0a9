"""`scripts/deploy`: from the source tree, or an archive, to a function that answers, or transcribes a bucket."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from build_archive.job import BYTECODE_NUMBERS
from deploy_tools.account.change import Change
from deploy_tools.archive import check_archive
from deploy_tools.configuration import Configuration
from deploy_tools.environment import check_environment, text_of
from deploy_tools.errors import DeploymentError
from deploy_tools.framework import deploy_archive
from deploy_tools.node import find_node, install_tools
from deploy_tools.pipeline import Order, Pipeline, refuse_to_undo
from deploy_tools.redaction import without_secrets
from deploy_tools.removal import Removal

ROOT = Path(__file__).resolve().parents[2]
# What is secret whatever becomes of the rest.
SECRET_VARIABLES = ("SCW_SECRET_KEY", "GENERATIVE_API_KEY")


def main() -> int:
    """Deploy; the exit status is 1 when that did not work out."""
    arguments = _parse()
    try:
        if arguments.remove:
            _remove(arguments)
        elif arguments.bucket is not None:
            _set_up(arguments)
        else:
            _deploy(arguments)
    except DeploymentError as error:
        secrets = (os.environ.get(name, "") for name in SECRET_VARIABLES)
        print(without_secrets(secrets, str(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nStopped; what had been sent by then is at Scaleway. The same command goes on from there.",
            file=sys.stderr,
        )
        return 1
    return 0


def _deploy(arguments: argparse.Namespace) -> None:
    """The function alone, with what the environment has."""
    # The quick checks first, so that a missing variable is reported before the build.
    secrets = check_environment(os.environ, text_of(arguments.config))
    configuration = Configuration.read(arguments.config, os.environ, arguments.python)
    node = find_node()
    with _archive(arguments.archive, configuration.python) as archive, tempfile.TemporaryDirectory() as folder:
        refuse_to_undo(configuration, os.environ)
        install_tools()
        config: Path = arguments.config
        if arguments.python is not None:
            config = Path(folder) / "serverless.yml"
            config.write_text(configuration.text)
        deploy_archive(archive, config, node=node, environment=os.environ, secrets=secrets)


def _set_up(arguments: argparse.Namespace) -> None:
    """The function, and all that transcribing a bucket needs."""
    order = Order(arguments.bucket, arguments.prefix, arguments.config, arguments.python)
    pipeline = Pipeline(order, os.environ)
    if not arguments.dry_run:
        find_node()
    python = Configuration.read(arguments.config, os.environ, arguments.python).python
    with _archive(arguments.archive, python) as archive:
        changes = list(pipeline.plan(archive))
        _print_plan(f"To have the bucket {arguments.bucket} transcribed:", [*_texts(changes), *pipeline.describe()])
        _print_plan("What it costs:", pipeline.costs())
        if arguments.dry_run:
            print("Nothing was changed.")
            return
        _make(changes)
        for line in pipeline.make_queues():
            print(f"  {line}", flush=True)
        if not pipeline.deploy(archive):
            print("  nothing else to do")
    print(
        f"\nThe function answers at {pipeline.url}\n"
        f"Upload to {arguments.bucket}/{arguments.prefix}: the schedule finds it within five minutes, and the "
        "transcript appears under transcripts/.\nScaleway may take five minutes until new rights hold."
    )


def _remove(arguments: argparse.Namespace) -> None:
    """All that `--bucket` made, and nothing else."""
    removal = Removal(arguments.bucket, arguments.config, os.environ)
    changes = list(removal.plan())
    _print_plan("To remove what scripts/deploy --bucket made:", _texts(changes) or ["nothing: there is nothing left"])
    if arguments.dry_run:
        print("Nothing was changed.")
        return
    _make(changes)
    print("Recordings and transcripts are where they were.")


def _print_plan(title: str, lines: Iterable[str]) -> None:
    print(title)
    for line in lines:
        print(f"  - {line}")
    sys.stdout.flush()


def _texts(changes: list[Change]) -> list[str]:
    return [change.text for change in changes]


def _make(changes: list[Change]) -> None:
    for change in changes:
        print(f"  {change.text} ...", flush=True)
        change.make()


@contextmanager
def _archive(given: Path | None, python: str) -> Iterator[Path]:
    """The archive for a Python, checked: the one that is given, or one that is built."""
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        archive = given or _build(Path(folder), python)
        check_archive(archive, python)
        yield archive


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/deploy",
        description="Builds the function, checks it, and deploys exactly what was checked. From the environment: "
        "SCW_SECRET_KEY, SCW_DEFAULT_PROJECT_ID, GENERATIVE_API_KEY, and what else serverless.yml takes from there. "
        "With --bucket, also sets up all that transcribing a bucket needs, and makes the keys that are missing.",
    )
    parser.add_argument(
        "--bucket",
        metavar="NAME",
        help="have what is uploaded to this bucket transcribed; it is made where it is missing",
    )
    parser.add_argument(
        "--prefix", metavar="PREFIX", default="", help="only what begins so, such as incoming/ (default: all)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and what it costs, and change nothing"
    )
    parser.add_argument(
        "--remove", action="store_true", help="take away what --bucket made; recordings and transcripts stay"
    )
    parser.add_argument(
        "--python", choices=sorted(BYTECODE_NUMBERS), help="deploy for this Python (default: the file's runtime)"
    )
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="deploy this, which scripts/build made, and build nothing"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=ROOT / "serverless.yml", help="another serverless.yml"
    )
    arguments = parser.parse_args()
    if arguments.dry_run and not arguments.remove and arguments.bucket is None:
        parser.error("--dry-run goes with --bucket or --remove")
    return arguments


def _build(folder: Path, python: str) -> Path:
    archive = folder / "function.zip"
    command = [str(ROOT / "scripts" / "build"), "--output", str(archive), "--python", python]
    if subprocess.run(command, check=False).returncode != 0:
        raise DeploymentError("scripts/build failed, so nothing was deployed.")
    return archive


if __name__ == "__main__":
    sys.exit(main())
