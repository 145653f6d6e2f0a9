"""What `GET /_emulator/platform` answers: the local platform at one moment, as JSON with exactly these names.

It is what the page's second tab is drawn from. Times are seconds since 1970, UTC; it never holds a secret.
"""

from dataclasses import dataclass
from typing import Any, Literal

Trigger = Literal["http", "queue", "cron"]


@dataclass(frozen=True)
class RequestRecord:
    """A request that the function was asked: when it came, by whom, what was answered, and how long that took.

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
    """An object of the bucket; the key as it is, the ETag without its quotes."""

    key: str
    size_bytes: int
    etag: str
    last_modified: float


@dataclass(frozen=True)
class BucketState:
    """The first objects of the bucket by their keys; `truncated` tells that there are more."""

    name: str
    objects: tuple[ObjectState, ...]
    truncated: bool


@dataclass(frozen=True)
class QueueState:
    """How many messages wait and are being delivered now; and, since the start, what became of deliveries.

    `delivered` were answered with a status below 300. `redelivered` counts second, third and fourth tries; `dropped`
    are the messages whose fourth try failed too.
    """

    name: str
    waiting: int
    in_flight: int
    delivered: int
    redelivered: int
    dropped: int


@dataclass(frozen=True)
class CronState:
    """A schedule of `serverless.yml`: what it sends, when next, and when it last did (`None`: not yet).

    `POST /_emulator/cron/<number>/fire` has it send now; `last_status` is what the function answered.
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
    """An order that is still open; `left` is how often it will strike, `None` for no end."""

    fault: Literal["kill", "double", "lose"]
    left: int | None
    share: float


@dataclass(frozen=True)
class PlatformState:
    """The whole; requests are newest first, `log` has the latest lines of the function's instances, oldest first."""

    function_url: str
    requests: tuple[RequestRecord, ...]
    instances: tuple[InstanceState, ...]
    bucket: BucketState
    queue: QueueState
    crons: tuple[CronState, ...]
    faults: tuple[FaultState, ...]
    log: tuple[str, ...]
