"""Finds Node, and installs the tools that package-lock.json names, into a folder that git ignores."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from deploy_tools.errors import DeploymentError

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
OSLS = MODULES / "osls" / "bin" / "serverless.js"
_STAMP = MODULES / ".locked"

# What osls 4.3 runs on; of a major version that is not listed, the ones from 24 on.
OLDEST_MINOR_OF_MAJOR = {20: 19, 22: 13}
OLDEST_MAJOR = 24

_WAY_OUT = "Or deploy without Node: the README says how, by the console or with Scaleway's command line."


def find_node() -> str:
    """The path of a Node that can run the tools; `DeploymentError` when there is none, or no npm beside it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise DeploymentError(f"Node and npm are needed, and not installed. {_WAY_OUT}")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if not is_supported(version):
        raise DeploymentError(f"Node 20.19, 22.13 or 24 and newer is needed, and this is {version}. {_WAY_OUT}")
    return node


def is_supported(version: str) -> bool:
    """Whether the tools run on Node `version`, such as `v20.19.0`."""
    if not (numbers := re.match(r"v(\d+)\.(\d+)\.", version)):
        return False
    major, minor = int(numbers[1]), int(numbers[2])
    return major >= OLDEST_MAJOR or minor >= OLDEST_MINOR_OF_MAJOR.get(major, minor + 1)


def install_tools() -> None:
    """Install what the lock names; do nothing when that is there. `DeploymentError` when npm fails."""
    locked = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if _STAMP.is_file() and _STAMP.read_text() == locked:
        return
    print("Installing the deployment tools (half a minute, once) ...", flush=True)
    # No script of a package runs: none is needed with the argon2 that package.json asks for, which brings its binaries.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=HERE, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise DeploymentError("npm could not install the deployment tools; what it said is above.")
    _STAMP.write_text(locked)
