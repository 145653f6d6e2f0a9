"""Where the last sweep ended: one object for each bucket and prefix, which can be lost without harm."""

import hashlib
import json

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import SourceNotFoundError
from transcriber.jobs.layout import WORK
from transcriber.request.sweep_request import SweepRequest


class SweepPlace:
    """The place of sweeps of `request`, kept in `bucket` under `prefix`."""

    def __init__(self, storage: ObjectStorage, bucket: str, prefix: str, request: SweepRequest) -> None:
        self._storage = storage
        self._bucket = bucket
        sweep = hashlib.sha256(json.dumps([request.bucket, request.prefix]).encode()).hexdigest()[:16]
        self._key = f"{prefix}{WORK}sweeps/{sweep}.json"
        self._is_kept = False

    def read(self) -> str:
        """The last key that a sweep came to; "" for the start."""
        try:
            place = json.loads(self._storage.get(self._bucket, self._key)).get("after", "")
        except (SourceNotFoundError, ValueError, AttributeError):
            return ""
        self._is_kept = True
        return place if isinstance(place, str) else ""

    def write(self, after: str) -> None:
        """Keep the last key that this sweep came to; "" where it came to the end."""
        if not after:
            if self._is_kept:
                self._storage.delete(self._bucket, self._key)
            return
        body = json.dumps({"after": after}).encode()
        metadata = {"Content-Type": "application/json"}
        if self._storage.create(self._bucket, self._key, body, metadata) is None:
            there = self._storage.head(self._bucket, self._key)
            if there is not None:
                self._storage.replace(self._bucket, self._key, body, metadata, etag=there.etag)
