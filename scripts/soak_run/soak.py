"""Runs a soak: uploads a backlog to the local platform, sweeps until nothing is missing, and checks every result."""

import os
import time
from typing import IO, Final

import requests

from emulator.local_platform import LocalPlatform, PlatformOptions
from soak_run.backlog import Recording, backlog
from soak_run.bad_day import CALLS_PATH, BadDay
from soak_run.figures import Figures
from soak_run.platform import FAILURE, RESULTS, SWEEP, WORK, Bucket

# A killed instance's lease ends soon after this; these recordings take a fraction of it.
TIME_LIMIT_SECONDS: Final = 8
# A minute of the function's waits: what a sweep has queued is left to the queue for half an hour, a killed recording
# waits for a quarter of a minute, and longer from kill to kill.
MINUTE_SECONDS: Final = 2
# As in a deployment, ten seconds more.
TIMEOUT_SECONDS: Final = 18
# How long the platform tries to reach a killed instance: the real ten seconds would only lengthen this run.
RETRY_SECONDS: Final = 0.2
# Between two sweeps that find nothing to do but wait for leases.
SWEEP_EACH_SECONDS: Final = 3.0
# Leases and their waits end within this; without progress for so long, there will be none.
PATIENCE_SECONDS: Final = 90.0
# A sweep lists two thousand keys in a second here, and may wait for an instance.
SWEEP_TIMEOUT_SECONDS: Final = 60.0


def soak(objects: int, *, instances: int, seed: int, output: IO[bytes] | None = None) -> Figures:
    """Have `objects` recordings transcribed on a bad day; `output` takes the log. Raises `ServerFailedError`."""
    recordings = backlog(objects, seed)
    options = PlatformOptions(
        instances=instances,
        recogniser="markers",
        storage=True,
        timeout_seconds=TIMEOUT_SECONDS,
        retry_seconds=RETRY_SECONDS,
    )
    environment = {
        "PATH": os.environ["PATH"],
        "TIME_LIMIT": str(TIME_LIMIT_SECONDS),
        "MINUTE_SECONDS": str(MINUTE_SECONDS),
        "LOG_LEVEL": "warning",
    }
    with LocalPlatform(options, environment, output=output) as platform:
        return _Run(platform, recordings, seed).figures()


class _Run:
    """One soak on a platform that has just been started."""

    def __init__(self, platform: LocalPlatform, recordings: list[Recording], seed: int) -> None:
        if platform.apis is None or platform.control is None or platform.storage is None:
            raise TypeError("The platform has no triggers, or calls an API that costs money")
        self._apis, self._control = platform.apis, platform.control
        self._bucket = Bucket(platform.storage.access)
        self._function_url = platform.function.url
        self._recordings = recordings
        self._seed = seed
        self._sweeps = 0

    def figures(self) -> Figures:
        """Run, and count."""
        started = time.monotonic()
        bad_day = BadDay(self._apis, self._control, self._seed)
        self._bucket.announce_only_recordings()
        for recording in self._recordings:
            self._bucket.upload(recording.key, recording.body)
        # The first sweep finds what the queue has not delivered yet: those recordings arrive twice.
        self._sweep()
        self._bucket.drain()
        self._finish()
        results = self._bucket.keys(RESULTS)
        checked = [self._check(recording, results) for recording in self._recordings]
        calls = [call for call in self._apis.requests() if call["path"] == CALLS_PATH]
        paid = [call for call in calls if call["fault"] is None and call["status"] == 200]  # noqa: PLR2004 # OK
        queue = self._control.platform()["queue"]
        struck = bad_day.struck()
        return Figures(
            objects=len(checked),
            transcripts=checked.count("transcript"),
            error_records=checked.count("error record"),
            wrong=checked.count("wrong"),
            chunks=len({call["audio"]["sha256"] for call in paid}),
            paid_calls=len(paid),
            failed_calls=len(calls) - len(paid),
            delivered=queue["delivered"],
            redelivered=queue["redelivered"],
            dropped=queue["dropped"],
            killed=struck["kill"],
            doubled=struck["double"],
            answers_lost=struck["lose"],
            sweeps=self._sweeps,
            leases_left=sum(key.startswith(f"{WORK}leases/") for key in results),
            wall_seconds=time.monotonic() - started,
        )

    def _finish(self) -> None:
        """Sweep until each recording has a result, or none has come for long, which the figures then show."""
        left, since = len(self._recordings), time.monotonic()
        while time.monotonic() - since < PATIENCE_SECONDS:
            results = self._bucket.keys(RESULTS)
            missing = sum(not _results_of(recording.key, results) for recording in self._recordings)
            if missing == 0:
                return
            if missing < left:
                left, since = missing, time.monotonic()
            self._sweep()
            self._bucket.drain()
            time.sleep(SWEEP_EACH_SECONDS)

    def _sweep(self) -> None:
        self._sweeps += 1
        # As with a schedule, the answer does not matter: the next sweep finds what this one left.
        requests.post(self._function_url, json=SWEEP, timeout=SWEEP_TIMEOUT_SECONDS)

    def _check(self, recording: Recording, results: set[str]) -> str:
        """The result of a recording: its right transcript, the error record of what is not audio, or neither."""
        match _results_of(recording.key, results), recording.words:
            case [key], None if key.endswith(FAILURE):
                return "error record"
            case [key], str(words) if not key.endswith(FAILURE) and self._bucket.text(recording.key) == words:
                return "transcript"
        return "wrong"


def _results_of(key: str, results: set[str]) -> list[str]:
    return sorted(results & {f"{RESULTS}{key}.json", f"{RESULTS}{key}{FAILURE}"})
