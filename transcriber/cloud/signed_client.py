"""Exchanges signed HTTP requests with a service, and keeps its connections; it interprets no answer.

http.client sends a path as it is given, which `requests` and urllib3 do not (they resolve dot segments), and is loaded
for the API anyway. Several threads may use a client at once: each exchange has a connection of its own.
"""

import http.client
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from transcriber.cloud.signing import Signer, encoded_path, encoded_query
from transcriber.net.timed_connection import TimedConnection
from transcriber.settings import Account

# As many as a request's threads write at once; further connections are closed after use.
MAX_KEPT_CONNECTIONS: Final = 16
# An answer that is read whole is an error, a page of a listing (at most 1,000 keys of 1,024 bytes, each encoded
# threefold) or a transcript; a peer that sends more would fill the memory.
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024

EXCHANGE_ERRORS: Final = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class SignedRequest:
    """One request; `path` and `query` are not encoded yet."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class ServiceAnswer:
    """An answer with its whole body."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class OpenAnswer:
    """An answer whose body is still to be read."""

    def __init__(self, connection: TimedConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end alone; `EXCHANGE_ERRORS` where the answer breaks off."""
        block = self._response.read(size)
        # http.client reports an end before the stated length only where all is read at once.
        if len(block) < size and self._response.length:
            raise http.client.IncompleteRead(block, self._response.length)
        return block

    def read_all(self) -> ServiceAnswer:
        """The answer with its body."""
        body = self.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise http.client.HTTPException("the answer is too long")
        return ServiceAnswer(self.status, self.headers, body)

    def extend(self, seconds: float) -> None:
        """Allow the rest of the answer `seconds` from now on."""
        self._connection.ends_at = time.monotonic() + seconds

    @property
    def is_complete(self) -> bool:
        """Whether the connection can be used again."""
        return self._response.isclosed() and self._connection.sock is not None


class SignedClient:
    """The connections to the service at `url`."""

    def __init__(self, url: str, account: Account, *, region: str, service: str) -> None:
        parts = urlsplit(url)
        self.base_path = parts.path.rstrip("/")
        self._host = parts.hostname or ""
        self._is_secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_secure else 80)
        # As the service sees it: the port is stated where it is not the usual one.
        self._host_header = parts.netloc
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._signer = Signer(account, region=region, service=service)
        self._lock = threading.Lock()
        self._idle: list[TimedConnection] = []

    @contextmanager
    def open(self, request: SignedRequest, seconds: float) -> Iterator[OpenAnswer]:
        """The answer to `request`, whose body is read in the block; all of it takes `seconds` at most.

        `EXCHANGE_ERRORS` for every failure of the network, `TimeoutError` among them.
        """
        connection, response = self._send(request, time.monotonic() + seconds)
        answer = OpenAnswer(connection, response)
        try:
            yield answer
        finally:
            is_reusable = answer.is_complete
            response.close()
            self._keep(connection) if is_reusable else connection.close()

    def exchange(self, request: SignedRequest, seconds: float) -> ServiceAnswer:
        """The whole answer to `request`, within `seconds`."""
        with self.open(request, seconds) as answer:
            return answer.read_all()

    def presigned_url(self, request: SignedRequest, expires_seconds: int) -> str:
        """An address by which anybody may send `request`, with its headers and any body, for `expires_seconds`."""
        path = encoded_path(self.base_path + request.path)
        headers = {"Host": self._host_header, **request.headers}
        query = self._signer.presigned_query(request.method, path, headers, expires_seconds=expires_seconds)
        return f"{self._origin}{path}?{query}"

    def close(self) -> None:
        """Close the connections that are kept."""
        while connection := self._take():
            connection.close()

    def _send(self, request: SignedRequest, ends_at: float) -> tuple[TimedConnection, http.client.HTTPResponse]:
        while idle := self._take():
            try:
                return idle, self._exchange(idle, request, ends_at)
            except (ConnectionError, http.client.RemoteDisconnected):
                continue  # the service closed it while it was idle: another one is tried
        connection = TimedConnection(self._host, self._port, tls=_tls if self._is_secure else None)
        return connection, self._exchange(connection, request, ends_at)

    def _exchange(
        self, connection: TimedConnection, request: SignedRequest, ends_at: float
    ) -> http.client.HTTPResponse:
        path = encoded_path(self.base_path + request.path) or "/"
        query = encoded_query(request.query)
        headers = self._signer.headers(
            request.method, path, query, {"Host": self._host_header, **request.headers}, request.body
        )
        connection.ends_at = ends_at
        try:
            target = f"{path}?{query}" if query else path
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if request.body or request.method in {"PUT", "POST"}:
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body or None)
            return connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _take(self) -> TimedConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _keep(self, connection: TimedConnection) -> None:
        with self._lock:
            if len(self._idle) < MAX_KEPT_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()


def _tls() -> ssl.SSLContext:
    from transcriber.net.tls import client_context  # noqa: PLC0415 # certifi is not needed without TLS

    return client_context()
