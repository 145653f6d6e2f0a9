"""Carries the API's calls, as the client library's own transport does, and three things that it does not do.

It hears an answer while it is still sending: an API that refuses a recording by its first bytes (a wrong key, a model
that is gone) ends the upload, and with it the download, at once. It keeps to a request's time as a whole, where the
client's timeouts begin anew with each byte. And it takes no answer of a size that no transcript has.
"""

import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from transcriber.net.thread_deadline import ThreadDeadline

# Ten hours of speech as text have under a megabyte; what is longer is no transcript, and would fill a small function.
MAX_ANSWER_BYTES = 16 * 1024 * 1024

# More than the calls that one request makes at a time; connections beyond that would wait.
MAX_CONNECTIONS = 100
# Servers commonly close idle connections after 60 s or more; one that is closed meanwhile is noticed and replaced.
KEEP_ALIVE_SECONDS = 30.0

READ_BYTES = 64 * 1024


class Transport(httpx2.BaseTransport):
    """HTTP/1.1 over kept connections."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._clock = ThreadDeadline()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=_Backend(self._clock),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request`; the time for all of it, answer included, is its read timeout."""
        timeout_seconds = request.extensions.get("timeout", {}).get("read")
        self._clock.set(float("inf") if timeout_seconds is None else timeout_seconds)
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
                raise httpcore2.RemoteProtocolError("the answer is compressed, which nobody asked for")
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
    """The answer's content coding; a compressed one could swell beyond every limit."""
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


class _Backend(httpcore2.SyncBackend):
    def __init__(self, clock: ThreadDeadline) -> None:
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        with _timing_out(httpcore2.ConnectTimeout):
            timeout = self._clock.within(timeout)
        return _Connection(super().connect_tcp(host, port, timeout, local_address, socket_options), self._clock)


class _Connection(httpcore2.NetworkStream):
    """A connection that listens while it speaks."""

    def __init__(self, inner: httpcore2.NetworkStream, clock: ThreadDeadline) -> None:
        self._inner = inner
        self._clock = clock
        self._heard = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._heard:
            block, self._heard = self._heard[:max_bytes], self._heard[max_bytes:]
            return block
        with _timing_out(httpcore2.ReadTimeout):
            timeout = self._clock.within(timeout)
        return self._inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`; `WriteError`, which has the pool read the answer, when one comes before that."""
        left = memoryview(buffer)
        peer: socket.socket = self._inner.get_extra_info("socket")
        peer.settimeout(0)
        poll = select.poll()
        poll.register(peer, select.POLLIN | select.POLLOUT)
        with _timing_out(httpcore2.WriteTimeout):
            while left:
                readable, writable = _ready(poll, self._clock.within(timeout))
                if readable and self._hears(peer):
                    raise httpcore2.WriteError("answered before all was sent")
                if writable:
                    left = left[_send(peer, left) :]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        with _timing_out(httpcore2.ConnectTimeout):
            timeout = self._clock.within(timeout)
        return _Connection(self._inner.start_tls(ssl_context, server_hostname, timeout), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()

    def _hears(self, peer: socket.socket) -> bool:
        """Whether what can be read is an answer, or the end; a TLS connection also gets what is for itself alone."""
        try:
            self._heard = peer.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        return True


def _ready(poll: select.poll, timeout_seconds: float) -> tuple[bool, bool]:
    """Whether the connection can be read and written, when either is so; `TimeoutError` when neither is in time."""
    for _, events in poll.poll(timeout_seconds * 1000):
        return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)
    raise TimeoutError


def _send(peer: socket.socket, left: memoryview) -> int:
    """How many bytes of `left` went out without waiting."""
    try:
        return peer.send(left)
    except (BlockingIOError, ssl.SSLWantWriteError):
        return 0


@contextmanager
def _timing_out(error: type[Exception]) -> Iterator[None]:
    """Raise a timeout inside as `error`, and any other failure of the connection as one of writing."""
    try:
        yield
    except TimeoutError:
        raise error from None
    except OSError as failure:
        raise httpcore2.WriteError(str(failure)) from failure


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the errors of the pool as those of the client, which has one of the same name for each."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        kind: type[Exception] = getattr(httpx2, type(error).__name__)
        raise kind(str(error)) from error
