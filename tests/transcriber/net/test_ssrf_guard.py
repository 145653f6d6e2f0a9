"""The address guard: only public addresses are reached, however a URL spells them."""

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.loopback import Peer, serve

from transcriber.deadline import Deadline
from transcriber.errors import (
    AddressRefusedError,
    RequestError,
    SourceFailedError,
    SourceRefusedError,
    TranscriberError,
)
from transcriber.net.ssrf_guard import SsrfGuard, is_public
from transcriber.settings import AllowedHost, Settings
from transcriber.sources.url import MAX_REDIRECTS, Downloader, UrlSource

# Each of these, requested as a URL, must be refused without a connection. {port} is where a server would answer.
TRICKS = [
    # Loopback, in every spelling that a resolver or a URL parser takes.
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://127.8.8.8:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    # IPv4 within IPv6.
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b::a9fe:2a2a]:{port}/",
    "http://[64:ff9b:1::10.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[::ffff:169.254.42.42]/",
    # Metadata services and other link-local addresses.
    "http://169.254.42.42/conf",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852006442/",
    "http://0xa9fe2a2a/",
    "http://[fd00:42::42]/conf",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fd00:ec2::254]/",
    # Private, shared, reserved, multicast, documentation and benchmark networks.
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[100::1]/",
    # Other schemes, and credentials.
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
    "http://user@example.com/",
    "http://user:password@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@example.com/",
    "http://example.com@127.0.0.1:{port}/",
    # What a parser and a client might read differently.
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\r\nHost: example.com/",
    "http:///127.0.0.1:{port}/",
    "http://[::1",
    "http://127.0.0.1:0/",
    "//127.0.0.1:{port}/",
]


@contextmanager
def watched_connections() -> Iterator[list[object]]:
    """The addresses that any socket of this process connects to, noted by the interpreter itself."""
    watching = True
    seen: list[object] = []

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "socket.connect":
            seen.append(arguments[1])

    sys.addaudithook(note)
    try:
        yield seen
    finally:
        watching = False


def url_source(url: str, *, guard: SsrfGuard | None = None) -> UrlSource:
    downloads = Downloader(guard or SsrfGuard(), sleep=lambda _: None)
    return UrlSource(url, downloader=downloads, max_bytes=10**6, deadline=Deadline(5))


def fetched(url: str, *, guard: SsrfGuard | None = None) -> bytes:
    with url_source(url, guard=guard) as source, source.open() as reader:
        return reader.read_fully(10**6)


@pytest.mark.parametrize("trick", TRICKS)
def test_refused_and_never_connected_to(trick: str) -> None:
    """Each address of the table is refused as a bad request, and no socket is connected to anything."""
    with serve(lambda peer: peer.answer(b"secret")) as server, watched_connections() as connections:
        with pytest.raises((AddressRefusedError, RequestError)) as caught:
            fetched(trick.replace("{port}", str(server.port)))
        assert connections == []
        assert server.requests == []
    assert caught.value.status == 400
    assert "127.0.0.1" not in caught.value.message


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["2606:4700::1111", "fd00:42::42"], ["127.0.0.1", "93.184.216.34"]],
)
def test_name_with_a_private_address_is_refused(addresses: list[str]) -> None:
    """A name is refused when any one of its addresses is private, wherever it stands among them."""
    with watched_connections() as connections, pytest.raises(AddressRefusedError):
        fetched("http://audio.example/", guard=SsrfGuard(resolver=lambda *_: addresses))
    assert connections == []


def test_connection_goes_to_the_address_that_was_checked() -> None:
    """A name that changes its address between two look-ups is looked up once for a connection, and not followed."""
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    looked_up: list[str] = []

    def resolver(host: str, _: int) -> list[str]:
        looked_up.append(host)
        return next(answers)

    allowed = Settings.from_environment({"GENERATIVE_API_KEY": "k", "ALLOWED_PRIVATE_HOSTS": "127.0.0.1"})
    guard = SsrfGuard(allowed.allowed_private_hosts, resolver=resolver)
    with serve(lambda peer: peer.answer(b"audio")) as server, watched_connections() as connections:
        assert fetched(f"http://rebinding.example:{server.port}/", guard=guard) == b"audio"
        assert connections == [("127.0.0.1", server.port)]
        assert looked_up == ["rebinding.example"]
        assert f"Host: rebinding.example:{server.port}".encode() in server.requests[0]
        with pytest.raises(AddressRefusedError):
            fetched(f"http://rebinding.example:{server.port}/", guard=guard)
        assert len(connections) == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.42.42/conf",
        "http://[fd00:42::42]/conf",
        "//169.254.169.254/",
        "file:///etc/passwd",
        "http://user:pass@93.184.216.34/",
        "http://localhost:1/",
    ],
)
def test_redirect_is_checked_like_the_first_address(target: str) -> None:
    """A server that may be reached cannot send the function to one that may not."""
    with serve(lambda peer: peer.answer(status="302 Found", Location=target)) as server:
        guard = SsrfGuard([AllowedHost(network=ipaddress.ip_network("127.0.0.1"), port=server.port)])
        with watched_connections() as connections, pytest.raises(AddressRefusedError):
            fetched(server.url, guard=guard)
        assert connections == [("127.0.0.1", server.port)]


def test_redirects_are_followed_twenty_times() -> None:
    """Twenty redirects to the audio are followed, as clients do, and one more is refused."""

    def conversation(peer: Peer) -> None:
        left = int(peer.path.strip("/"))
        if left:
            peer.answer(status="307 Temporary Redirect", Location=f"/{left - 1}")
        else:
            peer.answer(b"audio")

    with serve(conversation) as server:
        guard = SsrfGuard([AllowedHost(name="127.0.0.1")])
        assert fetched(f"{server.url}/{MAX_REDIRECTS}", guard=guard) == b"audio"
        with pytest.raises(SourceRefusedError, match="more than 20"):
            fetched(f"{server.url}/{MAX_REDIRECTS + 1}", guard=guard)


@pytest.mark.parametrize(
    ("allowed", "reached"),
    [
        ("127.0.0.1", True),
        ("127.0.0.0/8", True),
        ("127.0.0.1:{port}", True),
        ("localhost", False),
        ("127.0.0.1:1", False),
        ("10.0.0.0/8", False),
        ("", False),
    ],
)
def test_allowed_private_hosts_are_the_only_exception(allowed: str, reached: bool) -> None:  # noqa: FBT001 # a column
    """A private address is reached exactly when the operator allows it, by name, network or port."""
    with serve(lambda peer: peer.answer(b"audio")) as server:
        setting = {"GENERATIVE_API_KEY": "k", "ALLOWED_PRIVATE_HOSTS": allowed.replace("{port}", str(server.port))}
        guard = SsrfGuard(Settings.from_environment(setting).allowed_private_hosts)
        if reached:
            assert fetched(server.url, guard=guard) == b"audio"
        else:
            with pytest.raises(AddressRefusedError):
                fetched(server.url, guard=guard)
            assert server.requests == []


def test_next_address_is_tried() -> None:
    """A name whose first address takes no connection is reached by its second."""
    with serve(lambda peer: peer.answer(b"audio")) as server:
        guard = SsrfGuard([AllowedHost(name="two.example")], resolver=lambda *_: ["127.0.0.9", "127.0.0.1"])
        assert fetched(f"http://two.example:{server.port}/", guard=guard) == b"audio"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy, which could connect anywhere, is not used even where the environment names one."""
    with serve(lambda peer: peer.answer(b"through the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with pytest.raises(TranscriberError):
            fetched("http://10.0.0.1/")
        assert proxy.requests == []


def test_unknown_name_is_a_failure_of_the_source() -> None:
    """A name without an address is no address to refuse, and its error reveals nothing about the network."""

    def resolver(*_: object) -> list[str]:
        raise socket.gaierror(-2, "no such name in resolver 10.0.0.2")

    with pytest.raises(SourceFailedError) as caught:
        fetched("http://nowhere.example/", guard=SsrfGuard(resolver=resolver))
    assert "10.0.0.2" not in caught.value.message


@given(st.ip_addresses())
def test_public_addresses_are_public_by_both_tables(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """No address that Python calls private, loopback, link-local, reserved or multicast is ever let through."""
    if is_public(address):
        kinds = ("private", "loopback", "link_local", "reserved", "multicast", "unspecified")
        assert [kind for kind in kinds if getattr(address, f"is_{kind}")] == []


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "51.159.0.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_let_through(address: str) -> None:
    """Ordinary public addresses are not refused."""
    assert is_public(ipaddress.ip_address(address))
    assert SsrfGuard().addresses(address, 443) == [ipaddress.ip_address(address)]
