"""`scripts/deploy`: from the source tree, or an archive, to a function that answers."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy_tools.archive import check_archive
from deploy_tools.environment import check_environment
from deploy_tools.errors import DeploymentError
from deploy_tools.framework import deploy_archive
from deploy_tools.node import find_node, install_tools

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Deploy; the exit status is 1 when that did not work out."""
    arguments = _parse()
    try:
        # The quick checks first, so that a missing variable is reported before the build.
        secrets = check_environment(os.environ, _text(arguments.config))
        node = find_node()
        with tempfile.TemporaryDirectory(prefix="build-") as folder:
            archive = arguments.archive or _build(Path(folder))
            check_archive(archive)
            install_tools()
            deploy_archive(archive, arguments.config, node=node, environment=os.environ, secrets=secrets)
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; what had been sent by then is at Scaleway.", file=sys.stderr)
        return 1
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/deploy",
        description="Builds the function, checks it, and deploys exactly what was checked. From the environment: "
        "SCW_SECRET_KEY, SCW_DEFAULT_PROJECT_ID, GENERATIVE_API_KEY, and what else serverless.yml takes from there.",
    )
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="deploy this, which scripts/build made, and build nothing"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=ROOT / "serverless.yml", help="another serverless.yml"
    )
    return parser.parse_args()


def _text(configuration: Path) -> str:
    try:
        return configuration.read_text()
    except (OSError, UnicodeError) as error:
        raise DeploymentError(f"{configuration}: cannot be read ({error}).") from error


def _build(folder: Path) -> Path:
    archive = folder / "function.zip"
    if subprocess.run([str(ROOT / "scripts" / "build"), "--output", str(archive)], check=False).returncode != 0:
        raise DeploymentError("scripts/build failed, so nothing was deployed.")
    return archive


if __name__ == "__main__":
    sys.exit(main())
