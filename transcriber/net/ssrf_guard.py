"""Decides which addresses a URL may reach, and connects to nothing else.

A name is resolved once, all of its addresses must be public, and the connection goes to one of exactly these addresses;
so neither a redirect nor a name that resolves differently the next time leads into a private network. Only the
connection is replaced: TLS, its check of the certificate's name, the Host header and the pool work as usual.

Of the libraries that were tried, microsoft-antissrf 1.0 has the more complete table of networks, which is used here,
but its session sends a Host header without the port, tries one address only, and allows no host by its name; and
requests-hardened 1.3 checks the first address alone and allows all loopback addresses or none.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import requests
from AntiSSRF.ipaddress_ranges import IPAddressRanges
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from transcriber.errors import AddressRefusedError
from transcriber.net.name_lookup import NameLookup, system_lookup
from transcriber.net.thread_deadline import ThreadDeadline
from transcriber.settings import AllowedHost, Network

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver: TypeAlias = Callable[[str, int], Iterable[str]]

# A dead address costs one connect timeout, so a name with a thousand of them would occupy the function for hours.
MAX_ADDRESSES_TRIED = 4

# Missing in the library's table: IPv6 forms of an IPv4 address, which a router may translate.
_IPV4_IN_IPV6 = ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96")
_REFUSED_NETWORKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network) for network in (*IPAddressRanges.recommended_latest, *_IPV4_IN_IPV6)
)


def is_public(address: Address) -> bool:
    """Whether `address` is on the public internet, by Python's table of special addresses and by a second one.

    There are two tables because Python's differs from one patch release to the next.
    """
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address.version == network.version and address in network for network in _REFUSED_NETWORKS)
    )


class SsrfGuard:
    """Resolves hosts to addresses that may be reached; `AddressRefusedError` if even one of them may not."""

    def __init__(self, allowed: Sequence[AllowedHost] = (), *, resolver: Resolver = system_lookup) -> None:
        self.thread_deadline = ThreadDeadline()
        self._allowed = allowed
        self._names = NameLookup(lambda host, port: list(resolver(host, port)))

    def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of `host`, all of them allowed; `OSError` where it has none."""
        found = self._names.addresses(host, port, self.thread_deadline.within(None))
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
        for address in addresses:
            if not is_public(address) and not self._is_allowed(host, port, address):
                # The message does not name the address: it would describe the network behind this function.
                raise AddressRefusedError(
                    "The url leads to an address that is not public. To allow it, name its host in "
                    "ALLOWED_PRIVATE_HOSTS.",
                    param="url",
                )
        return addresses

    def connect(self, host: str, port: int, timeout_seconds: float | None) -> socket.socket:
        """A connection to the first address of `host` that takes one, whose reads keep to `thread_deadline`."""
        failure: OSError = OSError("the name has no address")
        for address in self.addresses(host, port)[:MAX_ADDRESSES_TRIED]:
            try:
                plain = socket.create_connection((str(address), port), self.thread_deadline.within(timeout_seconds))
            except OSError as error:
                failure = error
            else:
                return _LimitedSocket.around(plain, self.thread_deadline)
        raise failure

    def _is_allowed(self, host: str, port: int, address: Address) -> bool:
        name = host.rstrip(".").lower()
        return any(
            allowed.port in {None, port}
            and (name == allowed.name or (allowed.network is not None and _contains(allowed.network, address)))
            for allowed in self._allowed
        )


def _contains(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


class _LimitedSocket(socket.socket):
    """A connection whose reads, of a status line or of a body, keep to the thread's deadline: http.client reads so."""

    thread_deadline: ThreadDeadline

    @classmethod
    def around(cls, plain: socket.socket, thread_deadline: ThreadDeadline) -> Self:
        """The connection of `plain`, which is left without one."""
        timeout_seconds = plain.gettimeout()
        limited = cls(plain.family, plain.type, plain.proto, plain.detach())
        limited.settimeout(timeout_seconds)
        limited.thread_deadline = thread_deadline
        return limited

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        self.thread_deadline.limit(self)
        return super().recv_into(buffer, nbytes, flags)


class _LimitedTlsSocket(ssl.SSLSocket):
    """The same over TLS; until the pool sets it, the deadline never passes."""

    thread_deadline = ThreadDeadline()

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        self.thread_deadline.limit(self)
        return super().recv_into(buffer, nbytes, flags)


class GuardedAdapter(HTTPAdapter):
    """Sends requests over connections that the guard made, all with one TLS context; proxies are never used."""

    def __init__(self, guard: SsrfGuard, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._tls = tls
        # For all connections with this context, which therefore is no other client's.
        tls.sslsocket_class = _LimitedTlsSocket
        super().__init__()

    def get(self, url: str, *, headers: Mapping[str, str], timeouts: tuple[float, float]) -> requests.Response:
        """The answer of `url` without its body; redirects are not followed.

        A session would read the whole body of a redirect, keep cookies from one request to the next, and take proxies
        and credentials from the environment. `timeouts` are those of the connection and of each read, in seconds.
        """
        request = requests.Request("GET", url, headers=dict(headers)).prepare()
        return self.send(request, stream=True, timeout=timeouts)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools, with the guard's connections in them."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._tls)
        self.poolmanager.pool_classes_by_scheme = guarded_pools(self._guard)

    def build_connection_pool_key_attributes(self, *arguments: Any, **options: Any) -> Any:
        """Leave out the file of root certificates, which urllib3 would read for each connection."""
        host, pool = super().build_connection_pool_key_attributes(*arguments, **options)
        pool.pop("ca_certs", None)
        return host, pool

    def cert_verify(self, *_: Any) -> None:
        """Leave the check of certificates to the TLS context, which has the roots already."""


def guarded_pools(guard: SsrfGuard) -> dict[str, type[HTTPConnectionPool]]:
    """Pools by scheme whose connections go where `guard` allows."""

    def new_connection(connection: HTTPConnection) -> socket.socket:
        try:
            return guard.connect(connection.host, connection.port, connection.timeout)
        except OSError as error:
            # urllib3 raises the same, and requests makes its usual ConnectionError of it.
            raise NewConnectionError(connection, "no connection") from error

    class Connection(HTTPConnection):
        _new_conn = new_connection

    class SecureConnection(HTTPSConnection):
        _new_conn = new_connection

        def connect(self) -> None:
            super().connect()
            if isinstance(self.sock, _LimitedTlsSocket):
                self.sock.thread_deadline = guard.thread_deadline

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
