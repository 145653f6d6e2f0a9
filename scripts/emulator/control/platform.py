"""The platform around the gateway: triggers, faults and log, started together, and their present state."""

from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from emulator.runtime.log_lines import LogLines
from emulator.state.activity import Activity
from emulator.state.faults import PlatformFaults
from emulator.state.platform_state import BucketState, InstanceState, ObjectState, PlatformState
from emulator.storage.server import StorageAccess
from emulator.triggers.cron import CronTrigger
from emulator.triggers.queue import QueueTrigger

# One page of an S3 listing.
MAX_SHOWN_OBJECTS = 1000

# The state is shown without the quota if the emulated APIs are that busy.
QUOTA_TIMEOUT_SECONDS = 2.0


class Control:
    """The platform around the gateway, from `start` to the end of the process; safe to use from several threads."""

    def __init__(
        self,
        *,
        function_url: str,
        storage: StorageAccess,
        workers_folder: Path,
        activity: Activity,
        faults: PlatformFaults,
        log: LogLines,
        queue: QueueTrigger,
        cron: CronTrigger,
        apis_admin_url: str | None = None,
    ) -> None:
        self._function_url = function_url
        self._storage = storage
        self._workers_folder = workers_folder
        self._activity = activity
        self._log = log
        self._queue = queue
        self._apis_admin_url = apis_admin_url
        self._clients: dict[str, Any] = {}
        self.faults = faults
        self.cron = cron

    def start(self) -> None:
        """Start the log, the queue's trigger and the schedules."""
        self._log.start()
        self._queue.start()
        self.cron.start()

    def state(self) -> PlatformState:
        """The platform's present state."""
        return PlatformState(
            function_url=self._function_url,
            requests=self._activity.records(),
            instances=tuple(self._instances()),
            bucket=self._bucket(),
            queue=self._queue.state(self._client("sqs")),
            crons=self.cron.states(),
            faults=self.faults.states(),
            quota=self._quota(),
            log=self._log.latest(),
        )

    def publish(self, body: str) -> None:
        """Put a message into the queue."""
        self._client("sqs").send_message(QueueUrl=self._storage.queue_url, MessageBody=body)

    def fire_lifecycle(self, days: float) -> dict[str, int]:
        """End what the storage's lifecycle rules end, as if it were `days` later; how much of each kind."""
        return self._storage.fire_lifecycle(days)

    def _quota(self) -> dict[str, Any] | None:
        if self._apis_admin_url is None:
            return None
        try:
            answer = requests.get(f"{self._apis_admin_url}/quota", timeout=QUOTA_TIMEOUT_SECONDS)
            quota: dict[str, Any] = answer.json()
        except requests.RequestException:
            return None
        return quota

    def _instances(self) -> list[InstanceState]:
        states = []
        for file in sorted(self._workers_folder.iterdir(), key=lambda file: int(file.name)):
            try:
                stat = file.stat()
            except FileNotFoundError:  # the worker has ended meanwhile
                continue
            states.append(InstanceState(int(file.name), stat.st_mtime if stat.st_size else None))
        return states

    def _bucket(self) -> BucketState:
        listing = self._client("s3").list_objects_v2(Bucket=self._storage.bucket, MaxKeys=MAX_SHOWN_OBJECTS)
        objects = tuple(_object(entry) for entry in listing.get("Contents", []))
        return BucketState(self._storage.bucket, objects, listing["IsTruncated"])

    def _client(self, service: str) -> Any:
        # Created at its first use: importing boto3 would delay the start.
        if service not in self._clients:
            self._clients[service] = self._storage.client(service)
        return self._clients[service]


def _object(entry: dict[str, Any]) -> ObjectState:
    modified: datetime = entry["LastModified"]
    return ObjectState(entry["Key"], entry["Size"], entry["ETag"].strip('"'), modified.timestamp())
