"""The answer of `GET /_emulator/platform`: the local platform at one moment, as JSON with exactly these names.

The page's second tab shows it. Times are seconds since 1970, UTC. It never contains a secret.
"""

from dataclasses import dataclass
from typing import Any, Literal

Trigger = Literal["http", "queue", "cron"]


@dataclass(frozen=True)
class RequestRecord:
    """A request to the function: its arrival, its sender, the answer's status and the duration.

    `status` is `None` if the client got no answer because a fault broke its connection.
    """

    time: float
    trigger: Trigger
    method: str
    path: str
    status: int | None
    seconds: float
    request_id: str


@dataclass(frozen=True)
class InstanceState:
    """A process that runs the handler; `busy_since` is `None` while it waits for a request."""

    pid: int
    busy_since: float | None


@dataclass(frozen=True)
class ObjectState:
    """An object of the bucket; the key is not encoded, the ETag has no quotes."""

    key: str
    size_bytes: int
    etag: str
    last_modified: float


@dataclass(frozen=True)
class BucketState:
    """The first objects of the bucket by key; `truncated` means that there are more."""

    name: str
    objects: tuple[ObjectState, ...]
    truncated: bool


@dataclass(frozen=True)
class QueueState:
    """The messages that wait and that are being delivered now, and the results of deliveries since the start.

    `delivered` counts messages answered with a status below 300, `redelivered` second, third and fourth attempts, and
    `dropped` messages whose fourth attempt failed, too. The queue moves these to its dead letters when it is next asked
    for messages; `dead_letters` is the number of those that are there.
    """

    name: str
    waiting: int
    in_flight: int
    delivered: int
    redelivered: int
    dropped: int
    dead_letters: int


@dataclass(frozen=True)
class CronState:
    """A schedule of `serverless.yml`: its input, its next run (`None`: never), and its last one (`None`: none yet).

    `POST /_emulator/cron/<number>/fire` runs it now; `last_status` is the status of the function's answer.
    """

    number: int
    function: str
    rate: str
    input: Any
    next_time: float | None
    last_time: float | None
    last_status: int | None


@dataclass(frozen=True)
class FaultState:
    """An active fault; `left` is the number of hits that are left, `None` for no limit."""

    fault: Literal["kill", "double", "lose"]
    left: int | None
    share: float


@dataclass(frozen=True)
class PlatformState:
    """The whole state; requests are newest first, `log` has the latest lines of the instances, oldest first.

    `quota` is the use of the emulated APIs' quota, with the fields of `emulator.generative.quota.QuotaState`; `None` if
    those APIs are not emulated, or do not answer.
    """

    function_url: str
    requests: tuple[RequestRecord, ...]
    instances: tuple[InstanceState, ...]
    bucket: BucketState
    queue: QueueState
    crons: tuple[CronState, ...]
    faults: tuple[FaultState, ...]
    quota: dict[str, Any] | None
    log: tuple[str, ...]
