"""A server on loopback that passes requests on to another one, but for those that a test answers in its place."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from support.loopback import Loopback, Peer, serve

# Answers a request in the place of the server behind, and says whether it did.
Interception = Callable[[Peer], bool]
# Changes an answer of the server behind.
Change = Callable[[bytes], bytes]


@contextmanager
def proxy(
    url: str, intercept: Interception = lambda _peer: False, *, change: Change = lambda answer: answer
) -> Iterator[Loopback]:
    """The server at `url`, with what `intercept` answers, and `change` makes of other answers."""
    behind = urlsplit(url)

    def pass_on(peer: Peer) -> None:
        if intercept(peer):
            return
        request = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", peer.request, count=1)
        head, end, body = request.partition(b"\r\n\r\n")
        with socket.create_connection((behind.hostname, behind.port)) as connection:
            # The Host stays the proxy's own: it is signed.
            connection.sendall(head + b"\r\nConnection: close" + end + body)
            answer = b""
            while block := connection.recv(65_536):
                answer += block
        peer.send(change(answer))

    with serve(pass_on) as server:
        yield server


def s3_error(peer: Peer, code: str, status: str, **headers: str) -> bool:
    """Answer as the storage does when it refuses something."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"
    peer.answer(body.encode(), status=status, Content_Type="application/xml", **headers)
    return True


def has_header(peer: Peer, name: str) -> bool:
    """Whether the request has this header."""
    return re.search(rb"(?im)^" + name.encode() + rb":", peer.request.partition(b"\r\n\r\n")[0]) is not None


def method_of(peer: Peer) -> str:
    """The request's method."""
    return peer.request.split(b" ", 1)[0].decode()
