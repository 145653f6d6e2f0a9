"""The answer of `GET /_emulator/platform`: the local platform at one moment, as JSON with exactly these names.

The page's second tab is drawn from it. Times are seconds since 1970, UTC; it never holds a secret.
"""

from dataclasses import dataclass
from typing import Any, Literal

Trigger = Literal["http", "queue", "cron"]


@dataclass(frozen=True)
class RequestRecord:
    """A request to the function: when it arrived, its sender, the answer, and how long that took.

    `status` is `None` where the client got no answer, because a fault broke its connection.
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
    """An object of the bucket; the key unencoded, the ETag without quotes."""

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
    """The numbers of messages that wait and are being delivered now; and, since the start, the results of deliveries.

    `delivered` were answered with a status below 300. `redelivered` counts second, third and fourth attempts; `dropped`
    are the messages whose fourth attempt failed, too.
    """

    name: str
    waiting: int
    in_flight: int
    delivered: int
    redelivered: int
    dropped: int


@dataclass(frozen=True)
class CronState:
    """A schedule of `serverless.yml`: its input, its next time, and its last one (`None`: not yet).

    `POST /_emulator/cron/<number>/fire` fires it now; `last_status` is the status of the function's answer.
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
    """An open order; `left` is the number of times that are left, `None` for no end."""

    fault: Literal["kill", "double", "lose"]
    left: int | None
    share: float


@dataclass(frozen=True)
class PlatformState:
    """Everything; requests are newest first, `log` has the latest lines of the function's instances, oldest first."""

    function_url: str
    requests: tuple[RequestRecord, ...]
    instances: tuple[InstanceState, ...]
    bucket: BucketState
    queue: QueueState
    crons: tuple[CronState, ...]
    faults: tuple[FaultState, ...]
    log: tuple[str, ...]
