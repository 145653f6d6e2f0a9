"""Servers on loopback that do exactly what a test says, byte by byte where it matters."""

import re
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

Conversation = Callable[["Peer"], None]


@dataclass
class Peer:
    """A client's connection, as the server's script sees it."""

    connection: socket.socket
    request: bytes
    stopped: Event

    @property
    def path(self) -> str:
        return self.request.split(b" ", 2)[1].decode()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, body: bytes = b"", *, status: str = "200 OK", **headers: str) -> None:
        """A whole answer; `headers` are added to its length, or replace it when one of them is `Content_Length`."""
        fields = {
            "Content-Length": str(len(body)),
            "Connection": "close",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def wait(self) -> None:
        """Keep the connection open and say nothing until the test is over."""
        self.stopped.wait(60)

    def reset(self) -> None:
        """Break the connection as a crashed host does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@dataclass
class Loopback:
    """A server that holds one conversation for each connection, and remembers the requests."""

    port: int
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


def is_complete(request: bytes, *, read_body: bool) -> bool:
    """Whether the head of a request is there, and its body too where that is asked for."""
    head, end, body = request.partition(b"\r\n\r\n")
    if not end or not read_body:
        return bool(end)
    if length := re.search(rb"(?i)content-length: *(\d+)", head):
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n") or b"chunked" not in head.lower()


def body_of(request: bytes) -> bytes:
    """The body of a whole request, put together again if it was sent in chunks."""
    head, _, body = request.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    whole = b""
    while (size := int(body.split(b"\r\n", 1)[0], 16)) > 0:
        start = body.index(b"\r\n") + 2
        whole += body[start : start + size]
        body = body[start + size + 2 :]
    return whole


@contextmanager
def serve(
    conversation: Conversation, *, read_body: bool = True, tls: ssl.SSLContext | None = None
) -> Iterator[Loopback]:
    """Serve each connection's first request with `conversation`; the connection is closed when it returns.

    With `read_body` false, the conversation begins as soon as the head is there. With `tls`, the server speaks it.
    """
    stopped = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Loopback(listener.getsockname()[1], "http" if tls is None else "https")

        def talk(raw: socket.socket) -> None:
            with suppress(OSError), raw, tls.wrap_socket(raw, server_side=True) if tls else raw as connection:
                request = b""
                while not is_complete(request, read_body=read_body) and (block := connection.recv(65536)):
                    request += block
                if request:
                    server.requests.append(request)
                    conversation(Peer(connection, request, stopped))

        def accept() -> None:
            with suppress(OSError):
                while True:
                    Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        try:
            yield server
        finally:
            stopped.set()
            # Closing alone does not wake an accept that is under way.
            listener.shutdown(socket.SHUT_RDWR)
