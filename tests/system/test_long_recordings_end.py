"""A recording that no request can finish ends all the same, by queue and by sweeps alone; each chunk is paid once.

Half an hour with a TIME_LIMIT of a few seconds, and with --all nearly five hours with one of a minute.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import requests

from emulator.local_platform import LocalPlatform, PlatformOptions
from soak_run.hours import Hour, hours
from soak_run.platform import SWEEP, Bucket

# Longer than each of these recordings takes on a busy machine.
PATIENCE_SECONDS = 900.0
# Some variables of a queue, and no address: the platform sets none, and the function has none.
NO_QUEUE = {"QUEUE_ACCESS_KEY": "unused", "QUEUE_SECRET_KEY": "unused"}


@dataclass(frozen=True)
class Case:
    """A recording of `minutes`, and an API that is too slow for one run: `real_time_factor` times the audio."""

    minutes: float
    time_limit: int
    real_time_factor: float
    settings: dict[str, str]


CASES = [
    pytest.param(Case(30, 8, 0.01, {"PARALLEL_CALLS": "1", "CHUNK_MINUTES": "2.5"}), id="half an hour"),
    pytest.param(Case(290, 60, 0.1, {}), id="five hours", marks=pytest.mark.long),
]


@contextmanager
def platform_of(case: Case, **settings: str) -> Iterator[LocalPlatform]:
    options = PlatformOptions(
        recogniser="markers",
        real_time_factor=case.real_time_factor,
        storage=True,
        timeout_seconds=case.time_limit + 10,
        retry_seconds=0.2,
    )
    environment = {
        "PATH": os.environ["PATH"],
        "TIME_LIMIT": str(case.time_limit),
        "MINUTE_SECONDS": "2",
        **case.settings,
        **settings,
    }
    with LocalPlatform(options, environment) as platform:
        yield platform


def check_end(platform: LocalPlatform, bucket: Bucket, recording: Hour) -> None:
    """The words are all there, and each chunk was paid for once."""
    assert bucket.text(recording.key) == recording.words
    assert platform.apis is not None
    calls = [call for call in platform.apis.requests() if call["audio"]]
    assert len(calls) == len({call["audio"]["sha256"] for call in calls})
    assert platform.apis.quota()["paid"]["audio_seconds"] == pytest.approx(recording.seconds, rel=0.01)
    assert bucket.count("transcripts/.work/", "/parts/", "/leases/") == 0


def bucket_of(platform: LocalPlatform) -> Bucket:
    assert platform.storage is not None
    bucket = Bucket(platform.storage.access)
    bucket.announce_only_recordings()
    return bucket


@pytest.mark.timeout(PATIENCE_SECONDS)
@pytest.mark.parametrize("case", CASES)
def test_by_queue(case: Case) -> None:
    """Each run queues the rest of the work, until the transcript is there."""
    [recording] = hours(1, seconds=case.minutes * 60, seed=2)
    with platform_of(case) as platform:
        bucket = bucket_of(platform)
        bucket.upload(recording.key, recording.body)
        bucket.drain(timeout_seconds=PATIENCE_SECONDS)
        check_end(platform, bucket, recording)
        assert platform.control is not None
        queue = platform.control.platform()["queue"]
        assert (queue["redelivered"], queue["dropped"]) == (0, 0)
        assert queue["delivered"] > 1


@pytest.mark.timeout(PATIENCE_SECONDS)
@pytest.mark.parametrize("case", CASES)
def test_by_sweeps_alone(case: Case) -> None:
    """Without a queue, each sweep goes on from where the one before ended."""
    [recording] = hours(1, seconds=case.minutes * 60, seed=3)
    recording = Hour(f"archive/{recording.key}", recording.body, recording.words, recording.seconds)
    sweeps, started = 0, time.monotonic()
    with platform_of(case, **NO_QUEUE) as platform:
        bucket = bucket_of(platform)
        bucket.upload(recording.key, recording.body)
        sweep = {"sweep": {**SWEEP["sweep"], "prefix": "archive/"}}
        while bucket.text(recording.key) is None and time.monotonic() - started < PATIENCE_SECONDS:
            sweeps += 1
            requests.post(platform.function.url, json=sweep, timeout=2 * case.time_limit)
        check_end(platform, bucket, recording)
    assert sweeps > 1
