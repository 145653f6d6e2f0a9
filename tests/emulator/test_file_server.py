"""The file server: files of this machine that were added to it, and no others."""

import socket
import struct
from pathlib import Path

import pytest
import requests

from emulator.file_server import FileServer

SIZE_BYTES = 50_000_000


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A file of which sockets do not hold a tenth."""
    path = tmp_path / "a talk.wav"
    with path.open("wb") as file:
        file.truncate(SIZE_BYTES)
    return path


def test_added_file_is_served_whole_with_its_version(large_file: Path) -> None:
    """The address that was given leads to the file and its version, and one beside it to nothing."""
    with FileServer() as server:
        url = server.add(large_file)
        answer = requests.get(url, timeout=30)
        assert (answer.status_code, len(answer.content)) == (200, SIZE_BYTES)
        assert answer.headers["ETag"] == requests.get(url, timeout=30).headers["ETag"]
        assert requests.get(url.replace("talk", "walk"), timeout=30).status_code == 404


def test_client_that_has_enough_is_no_failure(large_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Who lets go in the middle, as the function does that has seen what a file is, makes no word of alarm."""
    with FileServer() as server:
        url = server.add(large_file)
        host, port = server.host.split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"GET {url.removeprefix(f'http://{server.host}')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            # With time to linger of none, closing resets the connection.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Served after it, on a thread that was started after its one.
        assert len(requests.get(url, timeout=30).content) == SIZE_BYTES
    assert capfd.readouterr().err == ""
