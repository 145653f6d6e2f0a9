"""A quota of audio seconds in a minute, in each form that it may have, and instances that share it in virtual time."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from transcriber.api.pacing import Pacing, StartedCall

Form = Literal["fixed", "sliding", "bucket"]
MINUTE_SECONDS = 60.0


@dataclass
class Quota:
    """So many audio seconds a minute, for all together."""

    form: Form
    seconds: float = 1800.0
    taken: deque[tuple[float, float]] = field(default_factory=deque)
    level: float = 1800.0
    filled_at: float = 0.0

    def take(self, now: float, audio_seconds: float) -> bool:
        """Whether a call with so much audio is accepted now."""
        if self.form == "bucket":
            self.level = min(self.seconds, self.level + (now - self.filled_at) * self.seconds / MINUTE_SECONDS)
            self.filled_at = now
            if self.level < audio_seconds:
                return False
            self.level -= audio_seconds
            return True
        begin = now // MINUTE_SECONDS * MINUTE_SECONDS if self.form == "fixed" else now - MINUTE_SECONDS
        while self.taken and self.taken[0][0] < begin:
            self.taken.popleft()
        if sum(seconds for _, seconds in self.taken) + audio_seconds > self.seconds:
            return False
        self.taken.append((now, audio_seconds))
        return True


@dataclass
class Outcome:
    """What instances did: numbers of calls, when the last one ended, and the longest time without one accepted."""

    accepted: int = 0
    refused: int = 0
    ended_at: float = 0.0
    longest_without: dict[int, float] = field(default_factory=dict)


@dataclass
class Instance:
    """An instance that works on one recording after the other."""

    pacing: Pacing
    is_interactive: bool = False
    chunks: int = 0
    in_flight: int = 0
    accepted_at: float = 0.0


class Account:
    """Instances that share nothing but the quota."""

    def __init__(self, quota: Quota, *, instances: int, seed: int, call_seconds: float, upload_seconds: float) -> None:
        self.random = random.Random(seed)  # noqa: S311 # a simulation
        self.quota = quota
        self.call_seconds = call_seconds
        self.upload_seconds = upload_seconds
        self.instances = [
            Instance(Pacing(max_calls=8, minute_seconds=MINUTE_SECONDS, random=self.random.random))
            for _ in range(instances)
        ]
        self.outcome = Outcome()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()
        self._recordings = 0
        self._chunks = 0

    def run(self, *, recordings: int, chunks: int, audio_seconds: float = 300.0) -> Outcome:
        """Work on all recordings; every instance takes the next one when it is done with one."""
        self._recordings, self._chunks, self._audio_seconds = recordings, chunks, audio_seconds
        for instance in self.instances:
            self._at(self.random.random(), self._going_on(instance))
        while self._events:
            now, _, event = heapq.heappop(self._events)
            event(now)
        return self.outcome

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), event))

    def _going_on(self, instance: Instance) -> Callable[[float], None]:
        return lambda now: self._go_on(instance, now)

    def _go_on(self, instance: Instance, now: float) -> None:
        if not instance.chunks and not instance.in_flight and self._recordings:
            self._recordings -= 1
            instance.chunks = self._chunks
        while instance.chunks and instance.pacing.wait_seconds(now) == 0:
            call = instance.pacing.start(now)
            instance.chunks -= 1
            instance.in_flight += 1
            self._at(now + self._about(self.upload_seconds), self._arriving(instance, call))
        if instance.chunks and (wait := instance.pacing.wait_seconds(now)) < float("inf"):
            self._at(now + wait + 1e-6, self._going_on(instance))

    def _arriving(self, instance: Instance, call: StartedCall) -> Callable[[float], None]:
        def arrive(now: float) -> None:
            if self.quota.take(now, self._audio_seconds):
                self.outcome.accepted += 1
                number = self.instances.index(instance)
                without = self.outcome.longest_without
                without[number] = max(without.get(number, 0.0), now - instance.accepted_at)
                instance.accepted_at = now
                self._at(now + self._about(self.call_seconds), self._ending(instance, call))
                return
            self.outcome.refused += 1
            instance.pacing.refuse(call, now, is_interactive=instance.is_interactive)
            instance.in_flight -= 1
            instance.chunks += 1
            self._go_on(instance, now)

        return arrive

    def _ending(self, instance: Instance, call: StartedCall) -> Callable[[float], None]:
        def end(now: float) -> None:
            instance.pacing.succeed(call)
            instance.in_flight -= 1
            self.outcome.ended_at = now
            self._go_on(instance, now)

        return end

    def _about(self, seconds: float) -> float:
        return seconds * (0.7 + 0.6 * self.random.random())
