"""Tests of the queue's trigger, with an emulated queue and a Python function in place of the deployed one."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

import pytest
from support.function_folders import TIMEOUT_SECONDS, wait_until

from emulator.state.faults import PlatformFault, PlatformFaultKind, PlatformFaults
from emulator.storage.server import StorageAccess, StorageServer
from emulator.triggers.queue import QueueTrigger

Answer = Callable[[str], int | None]


@pytest.fixture(scope="module")
def access() -> Iterator[StorageAccess]:
    with StorageServer() as server:
        server.wait_until_ready()
        yield server.access


class Function:
    """A function that answers by `answer`, and counts its calls by body, and the most at the same time."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = Lock()
        self.calls: Counter[str] = Counter()
        self.running = 0
        self.most_running = 0

    def __call__(self, body: bytes, *, trigger: str, content_type: str | None = None) -> int | None:
        assert (trigger, content_type) == ("queue", None)
        with self._lock:
            self.calls[body.decode()] += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            return self._answer(body.decode())
        finally:
            with self._lock:
                self.running -= 1


class Messages:
    """A queue whose messages a trigger delivers."""

    def __init__(self, access: StorageAccess, trigger: QueueTrigger) -> None:
        self._access = access
        self._sqs: Any = access.client("sqs")
        self._trigger = trigger

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._access.queue_url, MessageBody=body)

    def outcome(self) -> tuple[int, int, int]:
        """The numbers of delivered, redelivered and dropped messages."""
        state = self._trigger.state(self._sqs)
        return state.delivered, state.redelivered, state.dropped

    def waiting_and_in_flight(self) -> tuple[int, int]:
        state = self._trigger.state(self._sqs)
        return state.waiting, state.in_flight


@contextmanager
def triggered(access: StorageAccess, function: Function, faults: PlatformFaults | None = None) -> Iterator[Messages]:
    trigger = QueueTrigger(access, function, faults or PlatformFaults(), redelivery_seconds=0)
    messages = Messages(access, trigger)
    with trigger:
        trigger.start()
        yield messages
        wait_until(lambda: messages.waiting_and_in_flight() == (0, 0))


def test_a_message_is_delivered_once(access: StorageAccess) -> None:
    """A message answered with a 200 is deleted, and does not delay the next one."""
    function = Function(lambda _body: 200)
    with triggered(access, function) as messages:
        messages.send('{"url": "é"}', "second")
        wait_until(lambda: messages.outcome() == (2, 0, 0))
    assert function.calls == {'{"url": "é"}': 1, "second": 1}


@pytest.mark.parametrize("status", [300, None])
def test_a_failed_message_is_redelivered_three_times_and_dropped(access: StorageAccess, status: int | None) -> None:
    """After a status from 300, or no answer, a message is delivered four times in all, then dropped and counted."""
    function = Function(lambda _body: status)
    with triggered(access, function) as messages:
        messages.send("bad")
        wait_until(lambda: messages.outcome() == (0, 3, 1))
    assert function.calls == {"bad": 4}


def test_a_redelivery_may_succeed(access: StorageAccess) -> None:
    """A message that fails twice and then succeeds is delivered, and not dropped."""
    statuses = iter([500, 503, 299])
    function = Function(lambda _body: next(statuses))
    with triggered(access, function) as messages:
        messages.send("at last")
        wait_until(lambda: messages.outcome() == (1, 2, 0))
    assert function.calls == {"at last": 3}


def test_at_most_ten_are_in_flight(access: StorageAccess) -> None:
    """Of 25 messages, ten are delivered at the same time, and 15 wait until one is answered."""
    released = Event()

    def answer(_body: str) -> int:
        assert released.wait(TIMEOUT_SECONDS)
        return 200

    function = Function(answer)
    with triggered(access, function) as messages:
        messages.send(*(str(number) for number in range(25)))
        wait_until(lambda: messages.waiting_and_in_flight() == (15, 10))
        assert function.running == 10
        released.set()
        wait_until(lambda: messages.outcome() == (25, 0, 0))
    assert function.most_running == 10


def test_a_doubled_message_is_delivered_twice_at_the_same_time(access: StorageAccess) -> None:
    """Both deliveries run at the same time, and the message counts once."""
    both = Event()
    begun: list[str] = []

    def answer(body: str) -> int:
        begun.append(body)
        if begun == ["twice", "twice"]:
            both.set()
        assert both.wait(TIMEOUT_SECONDS)
        return 200

    function = Function(answer)
    faults = PlatformFaults()
    faults.add(PlatformFault(fault=PlatformFaultKind.DOUBLE))
    with triggered(access, function, faults) as messages:
        messages.send("twice")
        wait_until(lambda: messages.outcome() == (1, 0, 0))
        messages.send("once")
        wait_until(lambda: messages.outcome() == (2, 0, 0))
    assert function.calls == {"twice": 2, "once": 1}
