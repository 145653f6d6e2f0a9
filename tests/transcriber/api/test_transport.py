"""The transport: it hears an answer while it sends, keeps to the time of a request, and takes no endless answer."""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest
import trustme
from support.loopback import Conversation, Peer, serve

from transcriber.api.transport import MAX_ANSWER_BYTES, Transport

# More than the buffers of both ends of a connection on loopback hold.
MANY_BYTES = 40_000_000
BLOCK = bytes(64 * 1024)

CA = trustme.CA()


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    with httpx2.Client(transport=Transport(context), timeout=5) as client:
        yield client


@dataclass
class Body:
    """Many bytes, of which it is known how many were asked for."""

    sent: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self.sent < MANY_BYTES:
                self.sent += len(BLOCK)
                yield BLOCK
        finally:
            self.closed.set()


def refuse_and_wait(peer: Peer) -> None:
    """Refuse, and read nothing more, with the connection left open."""
    peer.answer(b'{"error": {"message": "no"}}', status="401 Unauthorized")
    peer.wait()


def refuse_and_close(peer: Peer) -> None:
    """Refuse, and close with most of the body unread."""
    peer.answer(b'{"error": {"message": "no"}}', status="401 Unauthorized")


# Over TLS, a server that closes with data unread may take its answer with it: a failed write ends a TLS session.
@pytest.mark.parametrize(
    ("conversation", "tls"),
    [(refuse_and_wait, False), (refuse_and_wait, True), (refuse_and_close, False)],
    ids=["waits", "waits-tls", "closes"],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_early_refusal_ends_the_upload(
    client: httpx2.Client, conversation: Conversation, *, chunked: bool, tls: bool
) -> None:
    """An answer that comes while the body is sent is read at once, and the rest of the body is never asked for."""
    headers = {} if chunked else {"Content-Length": str(MANY_BYTES)}
    with serve(conversation, read_body=False, tls=server_tls() if tls else None) as server:
        body = Body()
        answer = client.post(server.url, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "no")
    assert body.sent < MANY_BYTES / 2
    assert body.closed.is_set()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_whole_body_arrives(client: httpx2.Client, *, tls: bool) -> None:
    """A body far larger than the connection's buffers arrives byte for byte."""
    received = 0

    def count(peer: Peer) -> None:
        nonlocal received
        received = len(peer.request.partition(b"\r\n\r\n")[2])
        while received < MANY_BYTES and (block := peer.connection.recv(1 << 20)):
            received += len(block)
        peer.answer(json.dumps({"received": received}).encode())

    data = bytes(MANY_BYTES)
    with serve(count, read_body=False, tls=server_tls() if tls else None) as server:
        assert client.post(server.url, content=data).json() == {"received": MANY_BYTES}


def test_server_that_does_not_read(client: httpx2.Client) -> None:
    """A server that reads nothing and says nothing ends in a timeout of writing."""
    with serve(Peer.wait, read_body=False) as server, pytest.raises(httpx2.WriteTimeout):
        client.post(server.url, content=Body(), timeout=0.5)


def drip_head(peer: Peer) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
        peer.send(bytes([byte]))
        if peer.stopped.wait(0.05):
            return


def drip_body(peer: Peer) -> None:
    peer.answer(b"{", Content_Length="10000")
    while not peer.stopped.wait(0.05):
        peer.send(b" ")


@pytest.mark.parametrize("conversation", [drip_head, drip_body])
def test_dripping_answer_ends_with_the_time(client: httpx2.Client, conversation: Conversation) -> None:
    """A server that sends a byte at a time, each of them in time, does not outlast the request's time."""
    with serve(conversation) as server, pytest.raises(httpx2.ReadTimeout):
        client.get(server.url, timeout=0.5)


def test_endless_answer_is_cut_off(client: httpx2.Client) -> None:
    """An answer larger than any transcript is not kept."""

    def endless(peer: Peer) -> None:
        peer.answer(BLOCK, Content_Length=str(100 * MAX_ANSWER_BYTES))
        while not peer.stopped.is_set():
            peer.send(BLOCK)

    with serve(endless) as server, pytest.raises(httpx2.RemoteProtocolError, match="too long"):
        client.get(server.url)


def test_compressed_answer_is_refused(client: httpx2.Client) -> None:
    """An answer that is compressed, and so of any size, is not unpacked."""
    bomb = gzip.compress(bytes(1_000_000))
    with (
        serve(lambda peer: peer.answer(bomb, Content_Encoding="gzip")) as server,
        pytest.raises(httpx2.RemoteProtocolError, match="compressed"),
    ):
        client.get(server.url)


def test_connection_is_kept(client: httpx2.Client) -> None:
    """Two requests, one after the other, go over one connection."""

    def twice(peer: Peer) -> None:
        peer.answer(b"first", Connection="keep-alive")
        assert b"GET" in peer.connection.recv(65536)
        peer.answer(b"second")

    with serve(twice) as server:
        assert [client.get(server.url).text for _ in range(2)] == ["first", "second"]
        assert len(server.requests) == 1


def test_connection_that_was_closed_meanwhile_is_replaced(client: httpx2.Client) -> None:
    """A kept connection that the server has closed between two requests costs no request."""
    with serve(lambda peer: peer.answer(b"once", Connection="keep-alive")) as server:
        assert client.get(server.url).text == "once"
        threading.Event().wait(0.1)
        assert client.get(server.url).text == "once"
        assert len(server.requests) == 2


def test_unknown_certificate_is_refused() -> None:
    """A server with an untrusted certificate gets no request."""
    with (
        serve(Peer.wait, tls=server_tls()) as server,
        httpx2.Client(transport=Transport(ssl.create_default_context()), timeout=5) as client,
        pytest.raises(httpx2.ConnectError),
    ):
        client.get(server.url)


def test_nobody_listens(client: httpx2.Client) -> None:
    """An address without a server is an error of the client's own kind."""
    with serve(Peer.wait) as server:
        pass
    with pytest.raises(httpx2.ConnectError):
        client.get(server.url)
