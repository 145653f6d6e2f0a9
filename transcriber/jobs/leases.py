"""Sees to it that each version of a recording is transcribed once, whoever is told of it, and however often.

The state is in the storage alone, beside the transcript, and each step of it is one conditional write:

    nobody's ──create──▶ claimed ──results written──▶ finished (claim removed)
                         │   ▲ └──curable failure──▶ nobody's (claim removed)
               lease over│   │replace, If-Match
               or another│   │
               version   └───┘

* A **version** is the audio's ETag, and what the words depend on besides (language, prompt, model …), if anything.
* A **claim** names a version and its owner. It lives for the lease, which is longer than any request may take. It is
  taken over, by replacing exactly the claim that was read, when its lease is over or when it is for another version:
  the claim of the newest version is the one that counts. Of several who try, storage lets one win.
* A **result** names its version. It is written over exactly what was there before its writer last saw that the claim
  was still its own; so a writer whose claim was taken over never overwrites what came after it. `<key>.json` comes
  last of a transcript's files: where it is, all are.
* Whoever has claimed looks for a result before working: another may have finished between its look and its claim.

What a crash leaves: before the claim, nothing; before the result, a claim that is over after its lease; between two
files, the same, and the files are written again; after the result, a claim that nobody minds. A conditional write whose
answer was lost is recognised by its owner. The claim is removed without a condition, right after a look at it: should
it be taken over in between, a third may transcribe once too often, and no result is wrong. So it is with one who
looks at the audio just before it is replaced, and claims just after the new version was: it cannot read the old audio
any more, fails, and its message, delivered again, has the new one transcribed.
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
# recording whose instance was killed waits for as long.
LEASE_MARGIN_SECONDS = 15.0
# Each lost race means that another one has won it; so many in a row are left to whoever wins them.
MAX_RACES = 5

TRANSCRIPT: Final = ".json"
FAILURE: Final = ".error.json"
CLAIM: Final = ".claim.json"

_ETAG, _OPTIONS, _OWNER = "audio-etag", "audio-options", "audio-owner"


class Objects(Protocol):
    """What is needed of the storage; see `transcriber.cloud.object_storage.Storage`."""

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """What is known of an object; None where there is none."""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        """The ETag of what was written where nothing was; None otherwise."""

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        """The ETag of what was written over the version `etag`; None where that is not there."""

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there."""


@dataclass(frozen=True)
class Version:
    """What a transcript is of: the audio's ETag, and a digest of the options that change its words; "" is none."""

    etag: str
    options: str = ""

    @classmethod
    def of(cls, etag: str, options: TranscriptionOptions) -> "Version":
        """The version that the audio of `etag` with `options` has."""
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
        """Whether what has `metadata` is for this version; a version without options takes any options."""
        return metadata.get(_ETAG) == self.etag and self.options in {"", metadata.get(_OPTIONS, "")}

    def matches_exactly(self, metadata: Mapping[str, str]) -> bool:
        """Whether what has `metadata` is for this very version: what failed with options may succeed without."""
        return (metadata.get(_ETAG), metadata.get(_OPTIONS, "")) == (self.etag, self.options)


@dataclass(frozen=True)
class ResultKey:
    """Where the results of one recording are: the bucket, and the beginning of their keys."""

    bucket: str
    stem: str

    def key(self, suffix: str) -> str:
        """The key of the result with `suffix`."""
        return self.stem + suffix


@dataclass(frozen=True)
class Lease:
    """The right to work on a version; `etag` is that of the claim's own object, which no other claim has."""

    place: ResultKey
    version: Version
    owner: str
    etag: str

    @property
    def metadata(self) -> dict[str, str]:
        """What this claim and its results say of themselves."""
        return _metadata(self.version, self.owner)


@dataclass(frozen=True)
class InProgress:
    """Somebody else is at work on the version."""


@dataclass(frozen=True)
class Completed:
    """The version has its result: a transcript, or the record of a failure."""

    result: StoredObject

    @property
    def is_failure(self) -> bool:
        """Whether it is the record of a failure."""
        return self.result.key.endswith(FAILURE)


class Leases:
    """The claims in a storage, by an instance whose requests take at most `time_limit_seconds`."""

    def __init__(
        self,
        objects: Objects,
        *,
        time_limit_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._objects = objects
        self._lease = timedelta(seconds=time_limit_seconds + LEASE_MARGIN_SECONDS)
        self._now = now

    def claim(self, place: ResultKey, version: Version) -> Lease | InProgress | Completed:
        """The right to work on `version`, unless somebody has it, or it is done."""
        claim = self._win(place, version)
        if isinstance(claim, Lease) and (finished := self.finished(place, version)):
            self.release(claim)
            return finished
        return claim

    def finished(self, place: ResultKey, version: Version) -> Completed | None:
        """The result of `version`; None where there is none."""
        for suffix, is_its in ((TRANSCRIPT, version.matches), (FAILURE, version.matches_exactly)):
            result = self._objects.head(place.bucket, place.key(suffix))
            if result and is_its(result.metadata):
                return Completed(result)
        return None

    def is_live(self, claim: StoredObject) -> bool:
        """Whether the lease of the claim in this object, which a listing may have given, is not over."""
        return self._now() < claim.modified_at + self._lease

    def write(self, claim: Lease, suffix: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Write a result, unless the claim has been lost; whether it is written. `metadata` is added to the claim's."""
        key = claim.place.key(suffix)
        metadata = {**metadata, **claim.metadata}
        for _ in range(MAX_RACES):
            there = self._objects.head(claim.place.bucket, key)  # before the look at the claim: see above
            if there and there.metadata.get(_OWNER) == claim.owner:
                return True
            if not self._holds(claim):
                return False
            if there is None:
                written = self._objects.create(claim.place.bucket, key, body, metadata)
            else:
                written = self._objects.replace(claim.place.bucket, key, body, metadata, etag=there.etag)
            if written:
                return True
        return False

    def release(self, claim: Lease) -> None:
        """Give the claim up, done or not."""
        if self._holds(claim):
            self._objects.delete(claim.place.bucket, claim.place.key(CLAIM))

    def _win(self, place: ResultKey, version: Version) -> Lease | InProgress:
        owner = str(uuid.uuid4())
        key = place.key(CLAIM)
        # The owner stands in the body too, so that no two claims have the same ETag.
        body = json.dumps({"audio_etag": version.etag, "owner": owner}).encode()
        metadata = {"Content-Type": "application/json", **_metadata(version, owner)}
        for _ in range(MAX_RACES):
            if etag := self._objects.create(place.bucket, key, body, metadata):
                return Lease(place, version, owner, etag)
            held = self._objects.head(place.bucket, key)
            if held is None:
                continue  # given up just now
            if held.metadata.get(_OWNER) == owner:
                return Lease(place, version, owner, held.etag)
            if self.is_live(held) and version.matches(held.metadata):
                return InProgress()
            if etag := self._objects.replace(place.bucket, key, body, metadata, etag=held.etag):
                return Lease(place, version, owner, etag)
        return InProgress()

    def _holds(self, claim: Lease) -> bool:
        held = self._objects.head(claim.place.bucket, claim.place.key(CLAIM))
        return held is not None and held.etag == claim.etag


def _metadata(version: Version, owner: str) -> dict[str, str]:
    options = {_OPTIONS: version.options} if version.options else {}
    return {_ETAG: version.etag, _OWNER: owner, **options}
