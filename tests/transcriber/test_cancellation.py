"""Cancellation: sleepers wake and connections break at once, and nothing begins afterwards."""

import socket
import time
from threading import Thread

import pytest

from transcriber.cancellation import Cancellation, CancelledError

# Longer than anything here takes, so that a wait for it is a failure.
LONG_SECONDS = 30.0


def test_sleeper_wakes() -> None:
    """A thread that sleeps ends with an error as soon as the work is cancelled."""
    cancellation = Cancellation()
    ended: list[type[BaseException]] = []

    def sleep() -> None:
        try:
            cancellation.sleep(LONG_SECONDS)
        except CancelledError as error:
            ended.append(type(error))

    thread = Thread(target=sleep)
    thread.start()
    started = time.monotonic()
    cancellation.cancel()
    thread.join(LONG_SECONDS)
    assert ended == [CancelledError]
    assert time.monotonic() - started < LONG_SECONDS / 2


def test_sleep_ends_in_time() -> None:
    """Without a cancellation a sleep is a sleep."""
    Cancellation().sleep(0.01)


def test_connection_breaks() -> None:
    """A thread that waits for a peer reads the end of its connection as soon as the work is cancelled."""
    cancellation = Cancellation()
    ours, peers = socket.socketpair()
    read: list[bytes] = []

    def wait() -> None:
        with cancellation.breaking(ours):
            read.append(ours.recv(1))

    with ours, peers:
        thread = Thread(target=wait)
        thread.start()
        while not cancellation._connections:
            time.sleep(0.01)
        cancellation.cancel()
        thread.join(LONG_SECONDS)
        assert read == [b""]
        assert cancellation._connections == []


def test_nothing_begins_after_it() -> None:
    """After a cancellation no wait begins, and no connection is used."""
    cancellation = Cancellation()
    assert not cancellation.is_cancelled
    cancellation.cancel()
    assert cancellation.is_cancelled
    ours, peers = socket.socketpair()
    with ours, peers, pytest.raises(CancelledError), cancellation.breaking(ours):
        raise AssertionError
    with pytest.raises(CancelledError):
        cancellation.sleep(0)
