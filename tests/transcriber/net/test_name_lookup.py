"""Names are resolved within a time limit, and lookups that hang do not pile up."""

import socket
import threading
import time

import pytest

from transcriber.net.name_lookup import NameLookup, system_lookup


def test_the_system_resolves() -> None:
    """The resolver gives each address of a name once."""
    assert "127.0.0.1" in NameLookup().addresses("localhost", 80)
    assert NameLookup().addresses("127.0.0.1", 80) == system_lookup("127.0.0.1", 80) == ["127.0.0.1"]


def test_lookup_that_hangs_ends_by_its_limit() -> None:
    """Lookups of a name that hangs end in time, and share one thread."""
    released, calls = threading.Event(), []

    def hang(host: str, _: int) -> list[str]:
        calls.append(host)
        released.wait(20)
        return ["192.0.2.1"]

    names = NameLookup(hang)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            names.addresses("storage.example", 443, 0.1)
    assert time.monotonic() - began < 3
    assert calls == ["storage.example"]
    released.set()
    assert names.addresses("storage.example", 443) == ["192.0.2.1"]


def test_failure_of_a_lookup_is_that_of_the_system() -> None:
    """A name that does not exist fails as it does without a limit, and is looked up anew the next time."""

    def fail(*_: object) -> list[str]:
        raise socket.gaierror(-2, "no such name")

    names = NameLookup(fail)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            names.addresses("nowhere.example", 80)
