"""Resolves host names within a time limit, which the system's own call does not have."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, TypeAlias

Lookup: TypeAlias = Callable[[str, int], list[str]]

# The system's call may take minutes where no name server answers: it tries each one several times.
LOOKUP_TIMEOUT_SECONDS: Final = 5.0


def system_lookup(host: str, port: int) -> list[str]:
    """All addresses of `host`, in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class NameLookup:
    """Lookups with a time limit; a lookup that hangs is shared by all who need the same name, and ends by itself."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], Future[list[str]]] = {}

    def addresses(self, host: str, port: int, timeout_seconds: float | None = None) -> list[str]:
        """The addresses of `host`; `OSError` where it has none, `TimeoutError` where the lookup takes longer."""
        if _is_address(host):
            return self._lookup(host, port)  # asks no name server
        limit_seconds = LOOKUP_TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds
        try:
            return self._start(host, port).result(min(limit_seconds, LOOKUP_TIMEOUT_SECONDS))
        except FutureTimeoutError:
            raise TimeoutError("the name was not resolved in time") from None

    def _start(self, host: str, port: int) -> Future[list[str]]:
        """The lookup that is under way, or a new one in a thread of its own: nothing can interrupt it."""
        with self._lock:
            pending = self._pending.get((host, port))
            if pending is None:
                pending = self._pending[host, port] = Future()
                arguments = (host, port, pending)
                threading.Thread(target=self._run, args=arguments, name="name-lookup", daemon=True).start()
        return pending

    def _run(self, host: str, port: int, pending: Future[list[str]]) -> None:
        addresses: list[str] = []
        failure: Exception | None = None
        try:
            addresses = self._lookup(host, port)
        except (OSError, ValueError) as error:  # a UnicodeError is a ValueError: the name cannot be encoded
            failure = error
        finally:
            with self._lock:
                del self._pending[host, port]
        if failure is None:
            pending.set_result(addresses)
        else:
            pending.set_exception(failure)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


# One for the instance, so that requests share lookups that hang.
names: Final = NameLookup()
