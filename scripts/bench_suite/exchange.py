"""The least of HTTP/1.1 that the benchmark's servers need, cheap in CPU and memory, so that they disturb nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from bench_suite.links import Pace


class BadRequestError(Exception):
    """A request that these servers do not expect, with which the benchmark would measure something else."""


@dataclass(frozen=True)
class Request:
    """A request's head; header names are in lower case. Its body follows on `stream`."""

    target: str
    headers: Mapping[str, str]
    stream: IO[bytes] = field(repr=False)
    method: str = "GET"

    def body(self, pace: Pace) -> Iterator[bytes]:
        """The body in pieces, at the speed of a link."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size_bytes := int(self.stream.readline(), 16):
                yield from self._piece(size_bytes, pace)
                self.stream.readline()
            self.stream.readline()
        else:
            yield from self._piece(int(self.headers.get("content-length", "0")), pace)

    def _piece(self, size_bytes: int, pace: Pace) -> Iterator[bytes]:
        while size_bytes:
            block = self.stream.read1(min(size_bytes, pace.slice_bytes))  # type: ignore[attr-defined] # a socket's has it
            if not block:
                raise BadRequestError("The body broke off.")
            size_bytes -= len(block)
            pace.pass_on(len(block))
            yield block


def read_request(stream: IO[bytes]) -> Request | None:
    """The next request on a connection; None when the client has closed it."""
    line = stream.readline()
    if not line:
        return None
    headers = {}
    while (header := stream.readline().strip()) != b"":
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    method, target = line.decode().split(" ")[:2]
    return Request(target=target, headers=headers, stream=stream, method=method)


def response_head(status: str, size_bytes: int, **headers: str) -> bytes:
    """The head of a response whose body has `size_bytes`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size_bytes}", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
