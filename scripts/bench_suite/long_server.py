"""Serves a long recording at any path, with an ETag and ranges."""

import re
import socket
from typing import Final

from bench_suite.exchange import Request, response_head
from bench_suite.links import Links
from bench_suite.long_recording import Kind, long_recording
from bench_suite.servers import Answer

_RANGE: Final = re.compile(r"bytes=(\d+)-")


def make_answer(_links: Links, *, kind: Kind, minutes: int) -> Answer:
    """The handler of requests, without a speed limit; the recording is made first, outside the measured time."""
    audio = long_recording(kind, minutes)

    def answer(connection: socket.socket, request: Request) -> None:
        asked = _RANGE.fullmatch(request.headers.get("range", ""))
        start = int(asked[1]) if asked else 0
        headers = {"ETag": f'"{kind}-{minutes}"', "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{audio.size_bytes - 1}/{audio.size_bytes}"
        status = "206 Partial Content" if asked else "200 OK"
        connection.sendall(response_head(status, audio.size_bytes - start, **headers))
        for piece in audio.pieces(start):
            connection.sendall(piece)

    return answer
