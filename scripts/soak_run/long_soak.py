"""Runs a long soak: hours of audio under a quota, with instances killed; then checks each word and what was paid."""

import math
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import requests

from emulator.generative.intake import TEXT_PATHS
from emulator.generative.quota import QuotaOptions
from emulator.local_platform import LocalPlatform, PlatformOptions
from soak_run.hours import Hour, encoded_seconds, hours
from soak_run.long_figures import LongFigures, Moment
from soak_run.platform import RESULTS, SWEEP, WORK, Bucket

REAL_MINUTE_SECONDS: Final = 60.0
# As deployed: the function's own limit, the platform's timeout after it, and a schedule of five minutes.
TIME_LIMIT_SECONDS: Final = 290.0
TIMEOUT_MARGIN_SECONDS: Final = 10.0
SWEEP_MINUTES: Final = 5.0
# What a short minute leaves of that margin is too little for a busy machine.
LEAST_MARGIN_SECONDS: Final = 2.0
# The share of deliveries whose instance is killed, until there were as many kills as wanted: so small that hardly any
# message meets four of them, after which the queue drops it.
KILLED: Final = 0.2
POLL_SECONDS: Final = 0.5
# A run is ended, and its figures show it, after this multiple of what the quota needs, and the next constant.
PATIENCE: Final = 2.5
PATIENCE_MINUTES: Final = 30.0
# An instance that has the API's answer takes less than this to write it.
WRITING_SECONDS: Final = 1.0
_KILLED: Final = re.compile(rb"^\[(.{19} [+-]\d{4})\].* was sent SIGKILL", re.MULTILINE)


@dataclass(frozen=True)
class LongSoak:
    """What is to be done: `kills` a recording; a call takes `real_time_factor` times its audio.

    `quota` has the minute's form and length; everything that the platform counts in minutes is scaled as it is.
    """

    recordings: int = 20
    seconds: float = 3600.0
    instances: int = 8
    quota: QuotaOptions = field(default_factory=lambda: QuotaOptions(minute_seconds=6.0, rate_limit_headers="reset"))
    kills: float = 1.0
    time_limit_seconds: float | None = None
    real_time_factor: float = 0.005
    seed: int = 1

    @property
    def scale(self) -> float:
        """The length of a minute as a share of a real one."""
        return self.quota.minute_seconds / REAL_MINUTE_SECONDS

    @property
    def limit_seconds(self) -> float:
        """The function's time limit."""
        return self.time_limit_seconds or TIME_LIMIT_SECONDS * self.scale

    def quickest_seconds(self, audio_seconds: float) -> float:
        """The time in which the quota accepts so much audio."""
        return audio_seconds / (self.quota.audio_seconds_per_minute or math.inf) * self.quota.minute_seconds


def long_soak(plan: LongSoak, log: Path) -> LongFigures:
    """Carry out the plan; the platform's log goes to `log`, which is read, too. Raises `ServerFailedError`."""
    recordings = hours(plan.recordings, seconds=plan.seconds, seed=plan.seed)
    margin_seconds = max(LEAST_MARGIN_SECONDS, TIMEOUT_MARGIN_SECONDS * plan.scale)
    options = PlatformOptions(
        instances=plan.instances,
        recogniser="markers",
        real_time_factor=plan.real_time_factor,
        quota=plan.quota,
        storage=True,
        timeout_seconds=math.ceil(plan.limit_seconds + margin_seconds),
        retry_seconds=0.2,
    )
    environment = {"PATH": os.environ["PATH"], "TIME_LIMIT": f"{plan.limit_seconds:g}"}
    with log.open("wb") as output, LocalPlatform(options, environment, output=output) as platform:
        return _Run(platform, plan, recordings, log).figures()


class _Run:
    """One long soak on a platform that has just been started."""

    def __init__(self, platform: LocalPlatform, plan: LongSoak, recordings: Sequence[Hour], log: Path) -> None:
        if platform.apis is None or platform.control is None or platform.storage is None:
            raise TypeError("The platform has no triggers, or calls an API that costs money")
        self._apis, self._control = platform.apis, platform.control
        self._bucket = Bucket(platform.storage.access)
        self._function_url = platform.function.url
        self._plan, self._recordings, self._log = plan, recordings, log
        self._audio_seconds = sum(recording.seconds for recording in recordings)
        self._sweeps = 0
        self._ended = threading.Event()

    def figures(self) -> LongFigures:
        """Run, and count."""
        kills = round(self._plan.kills * self._plan.recordings)
        if kills:
            within = self._plan.limit_seconds
            self._control.fault(
                "kill", count=kills, share=KILLED, seed=self._plan.seed, trigger="queue", seconds=within
            )
        self._bucket.announce_only_recordings()
        started_at, started = time.time(), time.monotonic()
        for recording in self._recordings:
            self._bucket.upload(recording.key, recording.body)
        schedule = threading.Thread(target=self._sweep_by_schedule, daemon=True)
        schedule.start()
        done = self._wait(started_at)
        makespan_seconds = time.monotonic() - started
        self._ended.set()
        schedule.join()
        self._bucket.drain(timeout_seconds=self._plan.limit_seconds * 2)
        texts = {recording.key: self._bucket.text(recording.key) for recording in self._recordings}
        wrong = sum(texts[each.key] not in {None, each.words} for each in self._recordings)
        missing = sum(text is None for text in texts.values())
        queue, quota = self._control.platform()["queue"], self._apis.quota()
        paid = self._paid()
        kill_times = self._kill_times()
        again_killed, again_otherwise = _paid_again(paid, kill_times)
        paid_seconds = sum(call.seconds for call in paid)
        return LongFigures(
            recordings=len(self._recordings),
            transcripts=len(self._recordings) - wrong - missing,
            wrong=wrong,
            missing=missing,
            dropped=queue["dropped"],
            delivered=queue["delivered"],
            redelivered=queue["redelivered"],
            killed=len(kill_times),
            sweeps=self._sweeps,
            objects_left=self._bucket.count(WORK, "/leases/", "/parts/", "/jobs/"),
            audio_seconds=self._audio_seconds,
            paid_seconds=paid_seconds,
            paid_again_killed_seconds=again_killed,
            paid_again_incomplete_seconds=max(0.0, paid_seconds - again_killed - again_otherwise - self._audio_seconds),
            paid_again_otherwise_seconds=again_otherwise,
            accepted_calls=quota["accepted"]["calls"],
            refused_calls=quota["refused"]["calls"],
            accepted_bytes=quota["accepted"]["size_bytes"],
            refused_bytes=quota["refused"]["size_bytes"],
            makespan_seconds=makespan_seconds,
            quickest_seconds=self._plan.quickest_seconds(self._audio_seconds),
            wall_seconds=time.monotonic() - started,
            curve=_curve(self._apis.quota_events(), done, started_at),
        )

    def _wait(self, started_at: float) -> list[tuple[float, float]]:
        """When this number of seconds of audio was done; returns when all of it is, or too late."""
        seconds_of = {f"{RESULTS}{recording.key}.json": recording.seconds for recording in self._recordings}
        patience = PATIENCE * self._plan.quickest_seconds(self._audio_seconds)
        patience += PATIENCE_MINUTES * self._plan.quota.minute_seconds
        done: list[tuple[float, float]] = []
        while time.time() - started_at < patience:
            there = self._bucket.keys(RESULTS) & seconds_of.keys()
            done.append((time.time(), sum(seconds_of[key] for key in there)))
            if len(there) == len(seconds_of):
                break
            time.sleep(POLL_SECONDS)
        return done

    def _sweep_by_schedule(self) -> None:
        while not self._ended.wait(SWEEP_MINUTES * self._plan.quota.minute_seconds):
            self._sweeps += 1
            # As with a schedule, the answer does not matter: the next sweep finds what this one left.
            with suppress(requests.RequestException):
                requests.post(self._function_url, json=SWEEP, timeout=self._plan.limit_seconds * 2)

    def _paid(self) -> list["_PaidCall"]:
        return [
            _PaidCall(call["audio"]["sha256"], encoded_seconds(call["audio"]["size_bytes"]), *_times(call))
            for call in self._apis.requests()
            if call["path"] in TEXT_PATHS and call["status"] == requests.codes.ok
        ]

    def _kill_times(self) -> list[float]:
        """When instances were killed, to the second."""
        lines = _KILLED.findall(self._log.read_bytes())
        return [datetime.strptime(line.decode(), "%Y-%m-%d %H:%M:%S %z").timestamp() for line in lines]


@dataclass(frozen=True)
class _PaidCall:
    """A call that was answered with a text: its audio, and when it was under way."""

    sha256: str
    seconds: float
    received_at: float
    answered_at: float

    def was_lost(self, kill_times: Sequence[float]) -> bool:
        """Whether an instance was killed while the call was under way, or its result not written yet."""
        return any(self.received_at - 1 <= at <= self.answered_at + WRITING_SECONDS for at in kill_times)


def _times(call: dict[str, Any]) -> tuple[float, float]:
    return call["received_at"], call["answered_at"]


def _paid_again(paid: Sequence[_PaidCall], kill_times: Sequence[float]) -> tuple[float, float]:
    """Audio seconds that were paid again, because of kills and otherwise."""
    calls: dict[str, list[_PaidCall]] = defaultdict(list)
    for call in sorted(paid, key=lambda each: each.received_at):
        calls[call.sha256].append(call)
    lost = [call for same in calls.values() for call in same[:-1] if call.was_lost(kill_times)]
    kept = [call for same in calls.values() for call in same[:-1] if not call.was_lost(kill_times)]
    return sum(call.seconds for call in lost), sum(call.seconds for call in kept)


def _curve(
    events: Sequence[dict[str, Any]], done: Sequence[tuple[float, float]], started_at: float
) -> tuple[Moment, ...]:
    def until(at: float, kind: str) -> float:
        return sum(float(each["audio_seconds"]) for each in events if each["event"] == kind and each["time"] <= at)

    return tuple(
        Moment(at - started_at, until(at, "accepted"), until(at, "paid"), done_seconds) for at, done_seconds in done
    )
