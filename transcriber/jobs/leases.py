"""Leases: each version of a recording is transcribed once, however many triggers report it, and however often.

The state is in the storage alone, beside the transcript, and each step of it is one conditional write:

    free ──create──▶ leased ──results written──▶ completed (lease removed)
                     │   ▲ └──retryable failure──▶ free (lease removed)
           lease over│   │replace, If-Match
           or another│   │
           version   └───┘

* A **version** is the audio's ETag, and a digest of the options that the words depend on, if there are any.
* A **lease** names a version and its owner. It lasts longer than any request may take. It is taken over, by replacing
  exactly the object that was read, when its time is over or when it is for another version: the lease of the newest
  version counts. Of several who try, the storage lets one win.
* A **result** names its version. It is written over exactly what was there before its writer last saw that the lease
  was still its own; so a writer whose lease was taken over never overwrites what came after it. `<key>.json` is the
  last of a transcript's files: where it is, all are.
* The holder of a new lease looks for a result before working: another one may have finished between its look and its
  lease.

After a crash, there is: before the lease, nothing; before the result, a lease that ends at its time; between two files,
the same, and the files are written again; after the result, a lease that has no effect. A conditional write whose
answer was lost is recognised by its owner. The lease is removed without a condition, right after a look at it: if it is
taken over in between, a third instance may transcribe once too often, and no result is wrong. The same is true of an
instance that looks at the audio just before it is replaced, and takes the lease just after the new version did: it
cannot read the old audio any more, fails, and its message, delivered again, has the new one transcribed.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from transcriber.cloud.object_storage import StoredObject
from transcriber.request.options import TranscriptionOptions

# The ten seconds between TIME_LIMIT and the timeout that ends a request, and clocks that differ by seconds. Not more: a
# recording whose instance was killed waits for this long.
LEASE_MARGIN_SECONDS = 15.0
# Each lost race means that another one has won it; after this many in a row, the winner has the lease.
MAX_RACES = 5

TRANSCRIPT: Final = ".json"
FAILURE: Final = ".error.json"
LEASE: Final = ".claim.json"

_ETAG, _OPTIONS, _OWNER = "audio-etag", "audio-options", "audio-owner"


class Objects(Protocol):
    """The part of the storage that leases need; see `transcriber.cloud.object_storage.ObjectStorage`."""

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """The object's facts; None where there is none."""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        """The ETag of the object that was written where none was; None otherwise."""

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        """The ETag of the object that was written over the version `etag`; None where that is not there."""

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there."""


@dataclass(frozen=True)
class Version:
    """What a transcript is of: the audio's ETag, and a digest of the options that change its words; "" for none."""

    etag: str
    options: str = ""

    @classmethod
    def of(cls, etag: str, options: TranscriptionOptions) -> "Version":
        """The version of the audio `etag` with `options`."""
        words = (
            options.model,
            options.language,
            options.prompt,
            options.temperature,
            options.top_p,
            options.max_tokens,
        )
        given = json.dumps(words) if any(word is not None for word in words) else ""
        return cls(etag, hashlib.sha256(given.encode()).hexdigest()[:16] if given else "")

    def matches(self, metadata: Mapping[str, str]) -> bool:
        """Whether the object with `metadata` serves this version; one without options is served by any options."""
        return metadata.get(_ETAG) == self.etag and self.options in {"", metadata.get(_OPTIONS, "")}

    def matches_exactly(self, metadata: Mapping[str, str]) -> bool:
        """Whether the object with `metadata` is of this very version: what failed with options may succeed without."""
        return (metadata.get(_ETAG), metadata.get(_OPTIONS, "")) == (self.etag, self.options)


@dataclass(frozen=True)
class ResultKey:
    """Where the results of one recording are: the bucket, and the beginning of their keys."""

    bucket: str
    stem: str

    def with_suffix(self, suffix: str) -> str:
        """The key of the result with `suffix`."""
        return self.stem + suffix


@dataclass(frozen=True)
class Lease:
    """The right to work on a version; `etag` is that of the lease's own object, which no other lease has."""

    key: ResultKey
    version: Version
    owner: str
    etag: str

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of this lease and its results."""
        return _metadata(self.version, self.owner)


@dataclass(frozen=True)
class InProgress:
    """Another instance works on the version."""


@dataclass(frozen=True)
class Completed:
    """The version has its result: a transcript, or the record of a failure."""

    key: ResultKey
    result: StoredObject

    @property
    def is_failure(self) -> bool:
        """Whether it is the record of a failure."""
        return self.result.key.endswith(FAILURE)


class Leases:
    """The leases in a storage, of an instance whose requests take at most `time_limit_seconds`."""

    def __init__(
        self,
        objects: Objects,
        *,
        time_limit_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._objects = objects
        self._duration = timedelta(seconds=time_limit_seconds + LEASE_MARGIN_SECONDS)
        self._now = now

    def acquire(self, key: ResultKey, version: Version) -> Lease | InProgress | Completed:
        """The lease of `version`, unless another instance has it, or the version is completed."""
        lease = self._win(key, version)
        if isinstance(lease, Lease) and (completed := self.completed(key, version)):
            self.release(lease)
            return completed
        return lease

    def completed(self, key: ResultKey, version: Version) -> Completed | None:
        """The result of `version`; None where there is none."""
        for suffix, matches in ((TRANSCRIPT, version.matches), (FAILURE, version.matches_exactly)):
            result = self._objects.head(key.bucket, key.with_suffix(suffix))
            if result and matches(result.metadata):
                return Completed(key, result)
        return None

    def is_live(self, lease: StoredObject) -> bool:
        """Whether the lease in this object, which may come from a listing, is not over."""
        return self._now() < lease.modified_at + self._duration

    def write(self, lease: Lease, suffix: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Write a result, unless the lease was lost; whether it is written. `metadata` is added to the lease's."""
        key = lease.key.with_suffix(suffix)
        metadata = {**metadata, **lease.metadata}
        for _ in range(MAX_RACES):
            there = self._objects.head(lease.key.bucket, key)  # before the look at the lease: see above
            if there and there.metadata.get(_OWNER) == lease.owner:
                return True
            if not self._holds(lease):
                return False
            if there is None:
                written = self._objects.create(lease.key.bucket, key, body, metadata)
            else:
                written = self._objects.replace(lease.key.bucket, key, body, metadata, etag=there.etag)
            if written:
                return True
        return False

    def release(self, lease: Lease) -> None:
        """Give the lease up, completed or not."""
        if self._holds(lease):
            self._objects.delete(lease.key.bucket, lease.key.with_suffix(LEASE))

    def _win(self, key: ResultKey, version: Version) -> Lease | InProgress:
        owner = str(uuid.uuid4())
        lease_key = key.with_suffix(LEASE)
        # The owner is in the body too, so that no two leases have the same ETag.
        body = json.dumps({"audio_etag": version.etag, "owner": owner}).encode()
        metadata = {"Content-Type": "application/json", **_metadata(version, owner)}
        for _ in range(MAX_RACES):
            if etag := self._objects.create(key.bucket, lease_key, body, metadata):
                return Lease(key, version, owner, etag)
            held = self._objects.head(key.bucket, lease_key)
            if held is None:
                continue  # given up just now
            if held.metadata.get(_OWNER) == owner:
                return Lease(key, version, owner, held.etag)
            if self.is_live(held) and version.matches(held.metadata):
                return InProgress()
            if etag := self._objects.replace(key.bucket, lease_key, body, metadata, etag=held.etag):
                return Lease(key, version, owner, etag)
        return InProgress()

    def _holds(self, lease: Lease) -> bool:
        held = self._objects.head(lease.key.bucket, lease.key.with_suffix(LEASE))
        return held is not None and held.etag == lease.etag


def _metadata(version: Version, owner: str) -> dict[str, str]:
    options = {_OPTIONS: version.options} if version.options else {}
    return {_ETAG: version.etag, _OWNER: owner, **options}
