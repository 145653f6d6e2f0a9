"""A lease as an object holds it: what its metadata and its body say, and how they are read."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from transcriber.jobs.layout import ResultKeys, Version

# An attempt that adds nothing may be bad luck; five in a row, over an hour and a half, are not.
MAX_ATTEMPTS: Final = 5
# Minutes between an attempt that added nothing and the next one; each is due at a sweep, of which there is one every
# five minutes.
WAIT_MINUTES: Final = (0.0, 5.0, 15.0, 30.0, 60.0)

ETAG, OPTIONS, OWNER = "audio-etag", "audio-options", "audio-owner"
ATTEMPTS, PARTS, REASON = "lease-attempts", "lease-parts", "lease-reason"
NOT_BEFORE, QUEUED_AT = "lease-not-before", "lease-queued-at"
KEPT: Final = (ETAG, OPTIONS, ATTEMPTS, PARTS, REASON)
# Metadata of an object are 2 KB in all.
MAX_REASON_LENGTH = 500
# What the record of a failure says of attempts that left nothing else.
KILLED: Final = "the instance was ended before it was done, as by too little memory or a fault in a decoder"


@dataclass(frozen=True)
class Lease:
    """The right to work on a version; `etag` is that of the lease's own object, which no other lease has.

    `attempts` in a row have added no part, with this one; `parts` were there when it began. `reason` is why the attempt
    before ended. It `is_exhausted` when there may be no further attempt.
    """

    keys: ResultKeys
    version: Version
    owner: str
    etag: str
    request: Mapping[str, Any]
    attempts: int = 1
    parts: int = 0
    reason: str = ""

    @property
    def is_exhausted(self) -> bool:
        """Whether the attempts before this one were the last ones."""
        return self.attempts > MAX_ATTEMPTS

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of this lease's results."""
        return version_metadata(self.version, self.owner)


def wait_minutes_after(attempts: int) -> float:
    """The wait after this number of attempts in a row that added nothing."""
    return WAIT_MINUTES[min(max(0, attempts), len(WAIT_MINUTES) - 1)]


def version_metadata(version: Version, owner: str) -> dict[str, str]:
    """The metadata by which an object names its version and its writer."""
    options = {OPTIONS: version.options} if version.options else {}
    return {ETAG: version.etag, OWNER: owner, **options}


def lease_metadata(lease: Lease) -> dict[str, str]:
    """The metadata of the lease's own object."""
    return {
        "Content-Type": "application/json",
        **{name: value for name, value in version_metadata(lease.version, lease.owner).items() if value},
        ATTEMPTS: str(lease.attempts),
        PARTS: str(lease.parts),
        **({REASON: _ascii(lease.reason)} if lease.reason else {}),
    }


def lease_body(lease: Lease) -> bytes:
    """The body of the lease's own object."""
    # The owner is in the body too, so that no two leases have the same ETag.
    return lease_document(lease.version.etag, lease.owner or str(uuid.uuid4()), lease.request)


def lease_document(audio_etag: str, owner: str, request: Mapping[str, Any]) -> bytes:
    """The body of a lease with these facts."""
    return json.dumps({"lease": 1, "audio_etag": audio_etag, "owner": owner, "request": request}).encode()


def _ascii(text: str) -> str:
    """A reason as a header holds it: one short line."""
    return " ".join(text.encode("ascii", "replace").decode().split())[:MAX_REASON_LENGTH]


def read_time(text: str | None) -> datetime | None:
    """The time in a value of the metadata; None where there is none."""
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


def is_of(metadata: Mapping[str, str], version: Version) -> bool:
    """Whether the object with `metadata` is of this very version."""
    return (metadata.get(ETAG), metadata.get(OPTIONS, "")) == (version.etag, version.options)


def read_number(text: str | None) -> int:
    """The number in a value of the metadata; 0 where there is none."""
    return int(text) if text and text.isdecimal() else 0
