"""Runs the Serverless Framework on an archive that is ready, and keeps secrets out of what it prints."""

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Event, Timer

from deploy_tools.archive import HANDLER
from deploy_tools.errors import DeploymentError
from deploy_tools.node import OSLS
from deploy_tools.redaction import without_secrets

PLUGIN = Path("scripts") / "deploy_tools" / "careful.cjs"
# Scaleway builds an image, which takes a minute or two. The plugin itself asks for ever.
TIMEOUT_SECONDS = 20 * 60


def deploy_archive(
    archive: Path,
    configuration: Path,
    *,
    node: str,
    environment: Mapping[str, str],
    secrets: Iterable[str],
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> None:
    """Deploy exactly the bytes of `archive`, as the serverless.yml at `configuration` says, or raise `DeploymentError`.

    The plugin uploads `.serverless/<service>.zip`, whatever `package.artifact` says, and the framework would first make
    that file anew from the folder it runs in. So it runs in a folder that holds the archive in that place and nothing
    to make another one from, and `--package` has it take what is there.
    """
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        _stage(folder, archive, configuration)
        # A home of its own: no configuration of the user takes part, and nothing is left behind.
        process = subprocess.Popen(
            [node, str(OSLS), "deploy", "--package", ".serverless"],
            cwd=folder,
            env={**environment, "HOME": name, "SLS_NOTIFICATIONS_MODE": "off", "SLS_TELEMETRY_DISABLED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            status = _watch(process, tuple(secrets), timeout_seconds)
    if status != 0:
        raise DeploymentError("The deployment failed; what the framework said is above.")


def _stage(folder: Path, archive: Path, configuration: Path) -> None:
    service = re.search(r"""^service: *["']?([\w-]+)""", configuration.read_text(), re.MULTILINE)
    if service is None:
        raise DeploymentError(f"{configuration}: names no service.")
    shutil.copy(configuration, folder / "serverless.yml")
    (folder / PLUGIN).parent.mkdir(parents=True)
    shutil.copy(Path(__file__).parent / PLUGIN.name, folder / PLUGIN)
    # The plugin looks whether the handler's file exists, and reads it no further.
    with zipfile.ZipFile(archive) as opened:
        opened.extract(HANDLER, folder)
    (folder / ".serverless").mkdir()
    shutil.copy(archive, folder / ".serverless" / f"{service[1]}.zip")


def _watch(process: subprocess.Popen[str], secrets: tuple[str, ...], timeout_seconds: float) -> int:
    is_overdue = Event()

    def stop() -> None:
        is_overdue.set()
        process.kill()

    timer = Timer(timeout_seconds, stop)
    timer.start()
    try:
        for line in process.stdout or ():
            # An error of the API may quote what it was sent.
            print(without_secrets(secrets, line), end="", flush=True)
        status = process.wait()
    finally:
        timer.cancel()
    if is_overdue.is_set():
        raise DeploymentError(f"The deployment was not done after {timeout_seconds:.0f} s; look at it in the console.")
    return status
