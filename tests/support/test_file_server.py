"""Tests of the file server: it serves files of this machine that were added to it, and no others."""

import socket
import struct
from pathlib import Path

import pytest
import requests
from support.file_server import FileServer

SIZE_BYTES = 50_000_000


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A file more than ten times as large as sockets' buffers."""
    path = tmp_path / "a talk.wav"
    with path.open("wb") as file:
        file.truncate(SIZE_BYTES)
    return path


def test_added_file_is_served_whole_with_its_version(large_file: Path) -> None:
    """The returned address serves the whole file with an ETag, and a similar address is a 404."""
    with FileServer() as server:
        url = server.add(large_file)
        answer = requests.get(url, timeout=30)
        assert (answer.status_code, len(answer.content)) == (200, SIZE_BYTES)
        assert answer.headers["ETag"] == requests.get(url, timeout=30).headers["ETag"]
        assert requests.get(url.replace("talk", "walk"), timeout=30).status_code == 404


def test_client_that_stops_reading_logs_nothing(large_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that resets the connection midway, as the function does once it knows the file type, logs nothing."""
    with FileServer() as server:
        url = server.add(large_file)
        host, port = server.host.split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"GET {url.removeprefix(f'http://{server.host}')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            # With a linger time of zero, closing resets the connection.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Served later, on a thread that was started after the first one.
        assert len(requests.get(url, timeout=30).content) == SIZE_BYTES
    assert capfd.readouterr().err == ""
