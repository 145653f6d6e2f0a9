"""An HTTP connection that ends within a time limit: timeouts of libraries begin anew with each byte."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from transcriber.net.name_lookup import NameLookup, names

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CONNECT_TIMEOUT_SECONDS: Final = 5.0
# A peer that neither sends nor takes anything for this long has stalled.
STALL_TIMEOUT_SECONDS: Final = 8.0


class TimedConnection(http.client.HTTPConnection):
    """A connection to `host`, over TLS if `tls` makes a context; set `ends_at` before each exchange.

    Each wait, for a name, a connection, a byte to send or to receive, ends at `ends_at` at the latest, in the time of
    `time.monotonic`. `TimeoutError` when it has passed.
    """

    def __init__(
        self, host: str, port: int, *, tls: Callable[[], ssl.SSLContext] | None = None, lookup: NameLookup = names
    ) -> None:
        super().__init__(host, port)
        self.default_port = port  # the caller writes the Host header
        self.ends_at = float("inf")
        self._tls = tls
        self._lookup = lookup

    def connect(self) -> None:
        """Connect to the first address that takes a connection."""
        failure: OSError = OSError("the name has no address")
        for address in self._lookup.addresses(self.host, self.port, self.wait_seconds(CONNECT_TIMEOUT_SECONDS)):
            try:
                timeout_seconds = self.wait_seconds(CONNECT_TIMEOUT_SECONDS)
                plain = socket.create_connection((address, self.port), timeout_seconds)
            except OSError as error:
                failure = error
                continue
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock = _TimedSocket(self._secured(plain), self)
            except BaseException:
                plain.close()
                raise
            return
        raise failure

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._tls is None:
            return plain
        context = self._tls()
        plain.settimeout(self.wait_seconds(CONNECT_TIMEOUT_SECONDS))
        return context.wrap_socket(plain, server_hostname=self.host)

    def wait_seconds(self, longest_seconds: float = STALL_TIMEOUT_SECONDS) -> float:
        """The timeout of the next wait; `TimeoutError` when no time is left."""
        remaining_seconds = self.ends_at - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError("the exchange took too long")
        return min(longest_seconds, remaining_seconds)


class _TimedSocket:
    """The part of a socket that http.client uses, with a timeout that is set before each wait."""

    def __init__(self, connected: socket.socket, connection: TimedConnection) -> None:
        self._connected = connected
        self._connection = connection

    def sendall(self, data: "ReadableBuffer") -> None:
        """Send `data`, for as long as the peer goes on taking some of it."""
        with memoryview(data) as view, view.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                self._connected.settimeout(self._connection.wait_seconds())
                sent += self._connected.send(rest[sent:])

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the peer sends."""
        return io.BufferedReader(_TimedReader(self._connected, self._connection))

    def close(self) -> None:
        self._connected.close()


class _TimedReader(io.RawIOBase):
    """The reading side; like a socket's own file, it keeps the connection open until it is closed itself."""

    def __init__(self, connected: socket.socket, connection: TimedConnection) -> None:
        self._connected = connected
        self._connection = connection
        self._raw = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        self._connected.settimeout(self._connection.wait_seconds())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
