"""Runs a soak: uploads a backlog to the local platform, sweeps until nothing is missing, and checks every result."""

import json
import os
import time
from typing import IO, Any, Final

import requests

from emulator.local_platform import LocalPlatform, PlatformOptions
from emulator.storage.server import DEFAULT_BUCKET
from soak_run.backlog import PREFIX, Recording, backlog
from soak_run.bad_day import CALLS_PATH, BadDay
from soak_run.figures import Figures

RESULTS: Final = "transcripts/"
CLAIM: Final = ".claim.json"
FAILURE: Final = ".error.json"

# A killed instance's claim ends soon after this; these recordings take a fraction of it.
TIME_LIMIT_SECONDS: Final = 8
# As in a deployment, ten seconds more.
TIMEOUT_SECONDS: Final = 18
# How long the platform tries to reach a killed instance: the real ten seconds would only lengthen this run.
RETRY_SECONDS: Final = 0.2
POLL_SECONDS: Final = 0.5
# Between two sweeps that find nothing to do but wait for claims.
SWEEP_EACH_SECONDS: Final = 3.0
# Claims outlive TIME_LIMIT by less than this; without progress for so long, there will be none.
PATIENCE_SECONDS: Final = 90.0

# The body that a schedule would send.
SWEEP: Final = {"sweep": {"bucket": DEFAULT_BUCKET, "prefix": PREFIX}}
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
    environment = {"PATH": os.environ["PATH"], "TIME_LIMIT": str(TIME_LIMIT_SECONDS), "LOG_LEVEL": "warning"}
    with LocalPlatform(options, environment, output=output) as platform:
        return _Run(platform, recordings, seed).figures()


class _Run:
    """One soak on a platform that has just been started."""

    def __init__(self, platform: LocalPlatform, recordings: list[Recording], seed: int) -> None:
        if platform.apis is None or platform.control is None or platform.storage is None:
            raise TypeError("The platform has no triggers, or calls an API that costs money")
        self._apis, self._control = platform.apis, platform.control
        access = platform.storage.access
        self._s3, self._sqs, self._queue_url = access.client("s3"), access.client("sqs"), access.queue_url
        self._function_url = platform.function.url
        self._recordings = recordings
        self._seed = seed
        self._sweeps = 0

    def figures(self) -> Figures:
        """Run, and count."""
        started = time.monotonic()
        bad_day = BadDay(self._apis, self._control, self._seed)
        self._notify_only_of_recordings()
        for recording in self._recordings:
            self._s3.put_object(Bucket=DEFAULT_BUCKET, Key=recording.key, Body=recording.body)
        # The first sweep finds what the queue has not delivered yet: those recordings arrive twice.
        self._sweep()
        self._drain()
        self._finish()
        results = self._results()
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
            claims_left=sum(key.endswith(CLAIM) for key in results),
            wall_seconds=time.monotonic() - started,
        )

    def _notify_only_of_recordings(self) -> None:
        """Limit notifications to the prefix of uploads, as an operator would: the function's own objects need none."""
        bucket = {"Bucket": DEFAULT_BUCKET}
        queues = self._s3.get_bucket_notification_configuration(**bucket)["QueueConfigurations"]
        rules = [{"Name": "prefix", "Value": PREFIX}]
        queues = [{**configuration, "Filter": {"Key": {"FilterRules": rules}}} for configuration in queues]
        self._s3.put_bucket_notification_configuration(
            **bucket, NotificationConfiguration={"QueueConfigurations": queues}
        )

    def _finish(self) -> None:
        """Sweep until each recording has a result, or none has come for long, which the figures then show."""
        left, since = len(self._recordings), time.monotonic()
        while time.monotonic() - since < PATIENCE_SECONDS:
            results = self._results()
            missing = sum(not _results_of(recording.key, results) for recording in self._recordings)
            if missing == 0:
                return
            if missing < left:
                left, since = missing, time.monotonic()
            self._sweep()
            self._drain()
            time.sleep(SWEEP_EACH_SECONDS)

    def _sweep(self) -> None:
        self._sweeps += 1
        # As with a schedule, the answer does not matter: the next sweep finds what this one left.
        requests.post(self._function_url, json=SWEEP, timeout=SWEEP_TIMEOUT_SECONDS)

    def _drain(self) -> None:
        """Return when no message is left, waiting or in delivery."""
        # Ask the queue, because the platform's state includes a listing of the bucket.
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while True:
            answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)
            if not any(int(number) for number in answer["Attributes"].values()):
                return
            time.sleep(POLL_SECONDS)

    def _results(self) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=DEFAULT_BUCKET, Prefix=RESULTS)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def _check(self, recording: Recording, results: set[str]) -> str:
        """The result of a recording: its right transcript, the error record of what is not audio, or neither."""
        match _results_of(recording.key, results), recording.words:
            case [key], None if key.endswith(FAILURE):
                return "error record"
            case [key], str(words) if not key.endswith(FAILURE) and self._text(key) == words:
                return "transcript"
        return "wrong"

    def _text(self, key: str) -> str:
        body: dict[str, Any] = json.loads(self._s3.get_object(Bucket=DEFAULT_BUCKET, Key=key)["Body"].read())
        return str(body["text"]).lower().rstrip(".")


def _results_of(key: str, results: set[str]) -> list[str]:
    return sorted(results & {f"{RESULTS}{key}.json", f"{RESULTS}{key}{FAILURE}"})
