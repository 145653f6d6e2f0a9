"""The bucket and the queue of a soak's platform: uploads, results, and when the queue is empty."""

import json
import time
from typing import Any, Final

from emulator.storage.server import DEFAULT_BUCKET, StorageAccess
from soak_run.backlog import PREFIX

RESULTS: Final = "transcripts/"
WORK: Final = f"{RESULTS}.work/"
FAILURE: Final = ".error.json"
POLL_SECONDS: Final = 0.5

# The body that a schedule would send.
SWEEP: Final = {"sweep": {"bucket": DEFAULT_BUCKET, "prefix": PREFIX}}


class Bucket:
    """The recordings and results of a soak, and the queue that announces them."""

    def __init__(self, access: StorageAccess) -> None:
        self._s3, self._sqs, self._queue_url = access.client("s3"), access.client("sqs"), access.queue_url

    def announce_only_recordings(self) -> None:
        """Limit notifications to the prefix of uploads, as an operator would: the function's own objects need none."""
        bucket = {"Bucket": DEFAULT_BUCKET}
        queues = self._s3.get_bucket_notification_configuration(**bucket)["QueueConfigurations"]
        rules = [{"Name": "prefix", "Value": PREFIX}]
        queues = [{**configuration, "Filter": {"Key": {"FilterRules": rules}}} for configuration in queues]
        self._s3.put_bucket_notification_configuration(
            **bucket, NotificationConfiguration={"QueueConfigurations": queues}
        )

    def upload(self, key: str, body: bytes) -> None:
        """Write a recording."""
        self._s3.put_object(Bucket=DEFAULT_BUCKET, Key=key, Body=body)

    def keys(self, prefix: str) -> set[str]:
        """All keys under `prefix`."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=DEFAULT_BUCKET, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def count(self, prefix: str, *folders: str) -> int:
        """The number of keys under `prefix` that are in one of `folders`."""
        return sum(any(folder in key for folder in folders) for key in self.keys(prefix))

    def drain(self, *, timeout_seconds: float = float("inf")) -> None:
        """Return when no message is left, waiting or in delivery, or when the time is over."""
        # Ask the queue, because the platform's state includes a listing of the bucket.
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        started = time.monotonic()
        while time.monotonic() - started < timeout_seconds:
            answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)
            if not any(int(number) for number in answer["Attributes"].values()):
                return
            time.sleep(POLL_SECONDS)

    def text(self, key: str) -> str | None:
        """The words of a recording's transcript, as they were written into it; None where there is no transcript."""
        try:
            document = self._s3.get_object(Bucket=DEFAULT_BUCKET, Key=f"{RESULTS}{key}.json")
        except self._s3.exceptions.NoSuchKey:
            return None
        body: dict[str, Any] = json.loads(document["Body"].read())
        return str(body["text"]).lower().replace(".", "")
