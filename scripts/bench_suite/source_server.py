"""Serves a recording at `/<size in bytes>`, with an ETag unless the path ends in `/once`."""

import socket

from bench_suite.exchange import Request, response_head
from bench_suite.links import Links, Pace
from bench_suite.recording import recording
from bench_suite.servers import Answer

# The end of a path whose answers have no ETag: such a recording cannot be read again safely.
ONCE = "/once"


def make_answer(links: Links) -> Answer:
    """The handler of requests, over a link with the speed of `links`."""
    pace = Pace(links.bytes_per_second)

    def answer(connection: socket.socket, request: Request) -> None:
        size_bytes = int(request.target.removesuffix(ONCE).lstrip("/"))
        audio = memoryview(recording(size_bytes))
        version = {} if request.target.endswith(ONCE) else {"ETag": f'"{size_bytes}"'}
        connection.sendall(response_head("200 OK", size_bytes, **{"Content-Type": "audio/mpeg"}, **version))
        for start in range(0, size_bytes, pace.slice_bytes):
            piece = audio[start : start + pace.slice_bytes]
            pace.pass_on(len(piece))
            connection.sendall(piece)

    return answer
