"""Runs scripts/deploy as one who deploys does, on archives that are small, against an API of the test."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from support.functions_api import FunctionsApi

from deploy_tools.node import is_supported

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "serverless.yml"
# The first deployment installs the tools.
TIMEOUT_SECONDS = 600

SECRET_KEY = str(uuid4())
PROJECT_ID = str(uuid4())
API_KEY = "generative-api-key-of-the-test"
ACCESS_TOKEN = "access-token-of-the-test"

FILES = {
    "handler.py": b"def handle(event, context):\n    return {'body': 'ok'}\n",
    "transcriber/__init__.py": b"",
    "package/dependency/__init__.py": b"",
}


def reason_to_skip() -> str | None:
    """Why the tools cannot run on this machine, or None."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node or npm is not installed, so that no deployment can be shown on this machine"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607 # wherever it is
    return None if is_supported(version) else f"the tools do not run on Node {version}: no deployment can be shown"


def needs_node() -> pytest.MarkDecorator:
    """The mark of a test that deploys."""
    reason = reason_to_skip()
    return pytest.mark.skipif(reason is not None, reason=reason or "")


def archive_of(files: dict[str, bytes], path: Path) -> Path:
    """A zip of `files` at `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def environment_for(api: FunctionsApi, **variables: str) -> dict[str, str]:
    """The environment of one who deploys to `api`, with these variables, and none that this machine has set for it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    account = {"SCW_SECRET_KEY": api.token, "SCW_DEFAULT_PROJECT_ID": api.project_id, "SCW_FUNCTION_URL": api.url}
    return kept | account | {"GENERATIVE_API_KEY": API_KEY, "NO_PROXY": "127.0.0.1"} | variables


def deploy(
    *arguments: str | Path, environment: dict[str, str], tree: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `scripts/deploy`; all that it prints is in `stdout`. With `tree`, that copy of the repository is deployed."""
    command = [str(ROOT / "scripts" / "deploy")]
    if tree is not None:
        environment = environment | {"PYTHONPATH": f"{tree / 'scripts'}:{tree}"}
        command = [sys.executable, "-m", "deploy_tools"]
    return subprocess.run(  # noqa: S603 # our own command
        [*command, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def with_triggers(configuration: str) -> str:
    """`configuration` with the lines enabled that are commented out: those whose `#` has no space and word after it."""
    return re.sub(r"^( *)#(?! \S)", r"\1", configuration, flags=re.MULTILINE)
