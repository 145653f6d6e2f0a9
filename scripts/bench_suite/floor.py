"""The floor where no link limits the work: plain sockets that move the same bytes, and nothing else."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Final
from urllib.parse import urlsplit

from bench_suite.api_server import MODELS, PATH
from bench_suite.work import Backend, Transcribe, Work

# A multiple of 3, so that the base64 of the pieces is the base64 of the whole; larger and smaller are slower.
PIECE_BYTES: Final = 48 * 1024

_AUDIO: Final = b"@"
_CHAT: Final = json.dumps(
    {
        "model": MODELS["chat"],
        "messages": [{"content": [{"type": "text"}, {"input_audio": {"format": "mp3", "data": _AUDIO.decode()}}]}],
    }
).encode()
_FORM: Final = (
    b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n@\r\n--x--\r\n'
)


def make_transcribe(api_url: str) -> Transcribe:
    """The floor with an API at `api_url`."""

    def transcribe(work: Work) -> str:
        if work.url is None:
            text = work.body or ""
            body = text.encode() if work.backend is Backend.CHAT else base64.b64decode(text)
            return _sent(api_url, work.backend, len(body), iter([body]))
        with _connection(work.url) as (source, stream):
            source.sendall(f"GET {urlsplit(work.url).path} HTTP/1.1\r\n\r\n".encode())
            size_bytes = _announced_bytes(stream)
            if work.backend is Backend.TRANSCRIPTIONS:
                return _sent(api_url, work.backend, size_bytes, _pieces(stream, size_bytes))
            encoded = (base64.b64encode(piece) for piece in _pieces(stream, size_bytes))
            return _sent(api_url, work.backend, -(-size_bytes // 3) * 4, encoded)

    return transcribe


def _sent(api_url: str, backend: Backend, size_bytes: int, pieces: Iterator[bytes]) -> str:
    """The API's text for a body with `pieces` in it, which have `size_bytes` together."""
    is_chat = backend is Backend.CHAT
    before, after = (_CHAT if is_chat else _FORM).split(_AUDIO)
    path = f"{PATH}/chat/completions" if is_chat else f"{PATH}/audio/transcriptions"
    head = (
        f"POST {path} HTTP/1.1\r\nContent-Length: {len(before) + size_bytes + len(after)}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with _connection(api_url) as (api, stream):
        api.sendall(head.encode() + before)
        for piece in pieces:
            api.sendall(piece)
        api.sendall(after)
        content = json.loads(stream.read(_announced_bytes(stream)))
    return str(content["choices"][0]["message"]["content"] if is_chat else content["text"])


@contextmanager
def _connection(url: str) -> Iterator[tuple[socket.socket, BufferedReader]]:
    parts = urlsplit(url)
    with (
        socket.create_connection((parts.hostname, parts.port)) as connection,
        connection.makefile("rb") as stream,
    ):
        yield connection, stream


def _announced_bytes(stream: BufferedReader) -> int:
    """The Content-Length of the answer whose head this reads."""
    size_bytes = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name == b"Content-Length":
            size_bytes = int(value)
    return size_bytes


def _pieces(stream: BufferedReader, size_bytes: int) -> Iterator[bytes]:
    for start in range(0, size_bytes, PIECE_BYTES):
        yield stream.read(min(PIECE_BYTES, size_bytes - start))
