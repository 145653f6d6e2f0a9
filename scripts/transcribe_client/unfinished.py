"""Remembers the jobs that a function works on, so that the same command goes on with them after an interruption."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from transcribe_client.recordings import Recording

FOLDER = "transcriber/jobs"
# The id of a job gives access to its transcript.
PRIVATE_MODE = 0o600


def default_folder() -> Path:
    """Where programs keep their state, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / FOLDER


class UnfinishedJobs:
    """One small file for each job; without a `folder`, nothing is remembered."""

    def __init__(self, folder: Path | None, function_url: str, fields: Mapping[str, Any]) -> None:
        self._folder = folder
        self._common = [function_url.rstrip("/"), dict(fields)]

    def get(self, recording: Recording) -> str | None:
        """The id of the job for this version of the recording with the same options."""
        path = self._path(recording)
        if path is None:
            return None
        try:
            return path.read_text().strip() or None
        except (OSError, ValueError):
            return None  # nothing is lost but the way back to a job

    def put(self, recording: Recording, job_id: str) -> None:
        """Remember a job; where that is not possible, the command works on without."""
        path = self._path(recording)
        if path is None:
            return
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE)
            with os.fdopen(file, "w") as opened:
                opened.write(job_id)

    def remove(self, recording: Recording) -> None:
        """Forget the job of a recording."""
        path = self._path(recording)
        if path is not None:
            with suppress(OSError):
                path.unlink()

    def _path(self, recording: Recording) -> Path | None:
        if self._folder is None:
            return None
        source: list[Any] = [recording.url]
        if recording.path is not None:
            try:
                stat = recording.path.stat()
            except OSError:
                return None
            source = [str(recording.path.resolve()), stat.st_size, stat.st_mtime_ns]
        identity = json.dumps([*self._common, *source], sort_keys=True)
        return self._folder / hashlib.sha256(identity.encode()).hexdigest()
