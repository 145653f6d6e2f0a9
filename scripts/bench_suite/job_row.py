"""A row that measures what a job costs beside its transcription: requests to the storage, looks at it, and its end."""

import json
import multiprocessing
import os
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from bench_suite import api_server, object_server, ours
from bench_suite.lines import CPU, REQUESTS, WALL, Line
from bench_suite.links import UNLIMITED
from bench_suite.long_recording import Kind, long_recording
from bench_suite.servers import ServerProcess
from bench_suite.work import Contender

LOOKS: Final = 200
KEY: Final = "talk.wav"
_SETTINGS: Final = dict.fromkeys(("S3_ACCESS_KEY", "S3_SECRET_KEY", "QUEUE_ACCESS_KEY", "QUEUE_SECRET_KEY"), "none")


class JobFailedError(Exception):
    """The job was not completed; the message is its status."""


@dataclass(frozen=True)
class _Sample:
    """Of one job: requests to the storage, and seconds from its last part to its end; of one look at it: the same."""

    job_requests: float
    end_seconds: float
    look_requests: float
    look_cpu_seconds: float
    look_seconds: float


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job of an object, with a chunk a minute, and `LOOKS` looks at it, by a new instance."""

    name: str
    minutes: int
    rounds: int
    quick_rounds: int
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        samples = [_measured(self.minutes) for _ in range(rounds)]

        def values(name: str) -> dict[Contender, tuple[float, ...]]:
            return {Contender.OURS: tuple(getattr(sample, name) for sample in samples)}

        return (
            Line(self.name, REQUESTS, values("job_requests")),
            Line(f"{self.name}, last part to completed", WALL, values("end_seconds")),
            Line(f"{self.name}, a look", REQUESTS, values("look_requests")),
            Line(f"{self.name}, a look", CPU, values("look_cpu_seconds")),
            Line(f"{self.name}, a look", WALL, values("look_seconds")),
        )


def _measured(minutes: int) -> _Sample:
    """One job, against servers of its own."""
    with ExitStack() as stack:
        storage = stack.enter_context(ServerProcess(object_server.make_answer, UNLIMITED))
        api = stack.enter_context(ServerProcess(api_server.make_answer, UNLIMITED))
        settings = ours.environment(api.url + api_server.PATH) | _SETTINGS
        settings |= {
            "CHUNK_MINUTES": "1",
            "S3_ENDPOINT": storage.url,
            "QUEUE_URL": storage.url + object_server.QUEUE,
            "OUTPUT_BUCKET": object_server.BUCKET,
        }
        recording = b"".join(long_recording(Kind.SPEECH_WAV, minutes).pieces(0))
        put = urllib.request.Request(f"{storage.url}/{object_server.BUCKET}/{KEY}", data=recording, method="PUT")  # noqa: S310 # of loopback
        urllib.request.urlopen(put).close()  # noqa: S310 # the same
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(_job, (settings, storage.url))


def _job(settings: Mapping[str, str], storage_url: str) -> _Sample:
    os.environ.update(settings)
    from handler import handle  # noqa: PLC0415 # reads the environment at its import

    def post(body: str) -> dict[str, Any]:
        return handle({"httpMethod": "POST", "path": "/", "body": body, "headers": {}}, None)

    _seen(storage_url)
    accepted = post(
        json.dumps({"bucket": object_server.BUCKET, "key": KEY, "model": "whisper-large-v3", "async": True})
    )
    first = _seen(storage_url)
    (message,) = first["messages"]
    worked = post(message)
    job = _seen(storage_url)
    path = accepted["headers"]["Location"]
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(LOOKS):
        answer = handle({"httpMethod": "GET", "path": path, "headers": {}}, None)
    wall, spent = time.perf_counter() - started, time.process_time() - cpu
    if json.loads(answer["body"]).get("status") != "completed":
        raise JobFailedError(f"{worked['body']} {answer['body']}")
    return _Sample(
        first["requests"] + job["requests"],
        job["completed_at"] - job["part_at"],
        _seen(storage_url)["requests"] / LOOKS,
        spent / LOOKS,
        wall / LOOKS,
    )


def _seen(storage_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(storage_url + object_server.SEEN) as answer:  # noqa: S310 # of loopback
        found: dict[str, Any] = json.load(answer)
        return found
