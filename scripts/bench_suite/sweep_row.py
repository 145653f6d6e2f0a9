"""A row that measures what a sweep through a large bucket takes: memory, all of the process, and time."""

import json
import multiprocessing
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench_suite import bucket_server, memory, ours
from bench_suite.lines import CPU, RESIDENT, WALL, Line, Target
from bench_suite.links import UNLIMITED
from bench_suite.servers import ServerProcess
from bench_suite.work import Contender

_MIB: Final = 1024 * 1024
EXPECTED: Final = bucket_server.OBJECTS // bucket_server.MISSING_EACH
# The smallest memory that the platform has; its own process takes 24 MiB of it.
TARGET: Final = Target(128.0 - 24.0, "unit")
# The secrets of a server that checks none.
_SETTINGS: Final = dict.fromkeys(("S3_ACCESS_KEY", "S3_SECRET_KEY", "QUEUE_ACCESS_KEY", "QUEUE_SECRET_KEY"), "none")


class SweepFailedError(Exception):
    """The sweep did not find what is there; the message is its answer."""


@dataclass(frozen=True, kw_only=True)
class SweepRow:
    """One sweep a sample, in a process of its own."""

    name: str
    rounds: int
    quick_rounds: int
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        with ServerProcess(bucket_server.make_answer, UNLIMITED) as server:
            settings = ours.environment("http://127.0.0.1:9/v1") | _SETTINGS
            settings |= {"S3_ENDPOINT": server.url, "QUEUE_URL": server.url + bucket_server.QUEUE}
            samples = [_sample(settings) for _ in range(rounds)]
        walls, cpus, peaks = zip(*samples, strict=True)
        return (
            Line(self.name, RESIDENT, {Contender.OURS: tuple(peaks)}, target=TARGET),
            Line(self.name, WALL, {Contender.OURS: tuple(walls)}),
            Line(self.name, CPU, {Contender.OURS: tuple(cpus)}),
        )


def _sample(settings: Mapping[str, str]) -> tuple[float, float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_sweep, (dict(settings),))


def _sweep(settings: dict[str, str]) -> tuple[float, float, float]:
    """Seconds of wall and of CPU, and MiB resident at the peak, of one sweep by a new instance."""
    os.environ.update(settings)
    started, cpu = time.perf_counter(), time.process_time()
    from handler import handle  # noqa: PLC0415 # reads the environment at its import

    body = json.dumps({"sweep": {"bucket": bucket_server.BUCKET}})
    answer = handle({"httpMethod": "POST", "body": body, "headers": {}}, None)
    counts = json.loads(answer["body"])
    if (counts.get("found"), counts.get("queued")) != (bucket_server.OBJECTS, EXPECTED):
        raise SweepFailedError(answer["body"])
    return time.perf_counter() - started, time.process_time() - cpu, memory.peak() / _MIB
