"""The transport of the API's calls; it does four things that the client library's own transport does not do.

It reads an answer while it is still sending: an API that refuses a recording after its first bytes (a wrong key, a
model that is gone) ends the upload, and with it the download, at once. It limits the time of a call as a whole, where
the client's timeouts begin anew with each byte. It refuses an answer that is larger than any transcript. And a
cancellation breaks the connections of calls under way.
"""

import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpcore2
import httpx2

from transcriber.cancellation import Cancellation
from transcriber.net.thread_deadline import ThreadDeadline

# Half an hour of speech, which is the most in a call, has 30 KB as text, and under a megabyte with segments and tokens;
# a longer answer is not a transcript, and would fill a small function.
MAX_ANSWER_BYTES = 4 * 1024 * 1024

# More than the parallel calls of one request; connections beyond that would wait.
MAX_CONNECTIONS = 100
# Servers commonly close idle connections after 60 s or more; one that was closed meanwhile is noticed and replaced.
KEEP_ALIVE_SECONDS = 30.0

READ_BYTES = 64 * 1024


class _CallLimits(ThreadDeadline):
    """What limits the call of the current thread."""

    cancellation = Cancellation()  # of calls that are never cancelled


class Transport(httpx2.BaseTransport):
    """HTTP/1.1 over kept connections."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._limits = _CallLimits()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=_Backend(self._limits),
        )

    @contextmanager
    def cancelled_by(self, cancellation: Cancellation) -> Iterator[None]:
        """Let `cancellation` break the connection of the call that this thread makes in the block."""
        before, self._limits.cancellation = self._limits.cancellation, cancellation
        try:
            yield
        finally:
            self._limits.cancellation = before

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request`; the time for all of it, answer included, is its read timeout."""
        timeout_seconds = request.extensions.get("timeout", {}).get("read")
        self._limits.set(float("inf") if timeout_seconds is None else timeout_seconds)
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _translated():
            answer = self._pool.handle_request(
                httpcore2.Request(
                    method=request.method,
                    url=url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
            if _encoding(answer) != b"identity":
                answer.close()
                raise httpcore2.RemoteProtocolError("the answer is compressed, although it was not requested so")
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_AnswerStream(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def _encoding(answer: httpcore2.Response) -> bytes:
    """The answer's content coding; a compressed one could grow beyond every limit."""
    codings = [value.lower() for name, value in answer.headers if name.lower() == b"content-encoding"]
    return codings[0] if codings else b"identity"


class _AnswerStream(httpx2.SyncByteStream):
    """The answer's body, of bounded size."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        size_bytes = 0
        with _translated():
            for block in self._answer.iter_stream():
                size_bytes += len(block)
                if size_bytes > MAX_ANSWER_BYTES:
                    raise httpcore2.RemoteProtocolError("the answer is too long")
                yield block

    def close(self) -> None:
        self._answer.close()


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, limits: _CallLimits) -> None:
        self._limits = limits

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 # of the interface; the pool has none
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 # as above
    ) -> httpcore2.NetworkStream:
        with _errors_as(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            return _Connection(self._connect(host, port, timeout), self._limits)

    def _connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """A connection to the first address of `host` that accepts one."""
        failure: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self._limits.within(timeout))
                with self._limits.cancellation.breaking(connection):
                    connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
        raise failure or OSError("the name has no address")


class _Connection(httpcore2.NetworkStream):
    """A connection that reads an answer while it sends; a cancellation breaks it while a call waits for it."""

    def __init__(self, connection: socket.socket, limits: _CallLimits) -> None:
        self._socket = connection
        self._limits = limits
        self._received = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._received:
            block, self._received = self._received[:max_bytes], self._received[max_bytes:]
            return block
        with _errors_as(httpcore2.ReadTimeout, httpcore2.ReadError), self._breakable():
            self._socket.settimeout(self._limits.within(timeout))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`; `WriteError`, after which the pool reads the answer, when one arrives before that."""
        left = memoryview(buffer)
        with _errors_as(httpcore2.WriteTimeout, httpcore2.WriteError), self._breakable():
            self._socket.settimeout(0)
            poll = select.poll()
            poll.register(self._socket, select.POLLIN | select.POLLOUT)
            while left:
                readable, writable = _ready(poll, self._limits.within(timeout))
                if readable and self._receives():
                    raise httpcore2.WriteError("answered before all was sent")
                if writable:
                    left = left[_send(self._socket, left) :]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        with _errors_as(httpcore2.ConnectTimeout, httpcore2.ConnectError), self._breakable():
            self._socket.settimeout(self._limits.within(timeout))
            # The handshake apart, so that the new socket is the one that a cancellation breaks.
            secured = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
        connection = _Connection(secured, self._limits)
        try:
            with _errors_as(httpcore2.ConnectTimeout, httpcore2.ConnectError), connection._breakable():
                secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return connection

    def get_extra_info(self, info: str) -> object:
        match info:
            case "socket":
                return self._socket
            case "ssl_object":
                return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
            case "is_readable" if self._socket.fileno() < 0:
                return True  # closed: reading returns at once
            case "is_readable":
                poll = select.poll()
                poll.register(self._socket, select.POLLIN)
                return bool(poll.poll(0))
            case _:
                return None

    def close(self) -> None:
        self._socket.close()

    @contextmanager
    def _breakable(self) -> Iterator[None]:
        """Let the cancellation of this thread's call break the connection; the call then raises `CancelledError`."""
        cancellation = self._limits.cancellation
        try:
            with cancellation.breaking(self._socket):
                yield
        finally:
            cancellation.check()

    def _receives(self) -> bool:
        """Whether the readable data is an answer, or the end; a TLS connection also receives data for itself alone."""
        try:
            self._received = self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        return True


def _ready(poll: select.poll, timeout_seconds: float) -> tuple[bool, bool]:
    """Whether the connection can be read and written, as soon as either is possible; `TimeoutError` otherwise."""
    for _, events in poll.poll(timeout_seconds * 1000):
        return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)
    raise TimeoutError


def _send(connection: socket.socket, left: memoryview) -> int:
    """The number of bytes of `left` that were sent without waiting."""
    try:
        return connection.send(left)
    except (BlockingIOError, ssl.SSLWantWriteError):
        return 0


@contextmanager
def _errors_as(timeout: type[Exception], failure: type[Exception]) -> Iterator[None]:
    """Raise a timeout in the block as `timeout`, and any other failure of the connection as `failure`."""
    try:
        yield
    except TimeoutError:
        raise timeout from None
    except OSError as error:
        raise failure(str(error)) from error


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the errors of the pool as those of the client, which has one with the same name for each."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        kind: type[Exception] = getattr(httpx2, type(error).__name__)
        raise kind(str(error)) from error
