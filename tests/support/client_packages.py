"""What tests with clients of other projects share: a recording, what is heard in it, and Node's packages."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from support.recordings import recording
from support.shared import one_at_a_time

from emulator.recognisers.stub import stand_in_text

TOKEN: Final = "the-access-token"
CALLBACK_SECRET: Final = "whsec_" + "c2VjcmV0" * 4  # invented
VOXTRAL: Final = "voxtral-small-24b-2507"
WHISPER: Final = "whisper-large-v3"
MP3: Final = recording("jfk.mp3")
ENCODED: Final = base64.b64encode(MP3).decode()
TEXT: Final = stand_in_text(MP3, 11.088)

NODE_FOLDER: Final = Path(__file__).parents[1] / "clients" / "node"
# The oldest on which the locked packages have been seen to run.
OLDEST_NODE: Final = 20
INSTALL_SECONDS: Final = 240
CALL_SECONDS: Final = 120
_STAMP: Final = NODE_FOLDER / "node_modules" / ".locked"


def reason_without_node() -> str | None:
    """Why Node's clients cannot be tried on this machine, or None."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return "Node or npm is not installed, so that Node's clients cannot be tried on this machine"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 # what was found
    numbers = re.match(r"v(\d+)\.", version)
    if numbers is None or int(numbers[1]) < OLDEST_NODE:
        return f"Node's clients need Node {OLDEST_NODE}, and this machine has {version}"
    return None


def install_node_packages() -> str | None:
    """Install what the lock names, once; why that could not be done, or None."""
    locked = hashlib.sha256((NODE_FOLDER / "package-lock.json").read_bytes()).hexdigest()
    with one_at_a_time("npm-clients"):
        if _STAMP.is_file() and _STAMP.read_text() == locked:
            return None
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(command, cwd=NODE_FOLDER, capture_output=True, timeout=INSTALL_SECONDS, check=False)  # noqa: S603 # of this list
        except subprocess.TimeoutExpired:
            return "npm did not install the clients in time"
        if done.returncode != 0:
            return "npm could not install the clients; without a registry, they cannot be tried"
        _STAMP.write_text(locked)
    return None


def run_node(script: str, base_url: str, **values: str) -> dict[str, Any]:
    """What a script of the folder found, by the name of each call."""
    environment = {"PATH": os.environ["PATH"], "BASE_URL": base_url, "TOKEN": TOKEN, "ENCODED": ENCODED, **values}
    done = subprocess.run(  # noqa: S603 # a script of this folder
        ["node", script],  # noqa: S607 # wherever it is
        cwd=NODE_FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=CALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
