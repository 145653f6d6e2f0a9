"""Tests of the emulator's processes: the ports that they get."""

import socket
from pathlib import Path

import pytest
from support.function_folders import wait_until

from emulator.processes import LOOPBACK, GunicornProcess, ServerFailedError, accepts_connections, bind_port, port_of


def test_free_ports_belong_to_one_server_each() -> None:
    """A bound port is not assigned to any other socket, and refuses connections until a server listens on it."""
    bound = [bind_port() for _ in range(50)]
    try:
        ports = [port_of(each) for each in bound]
        assert len(set(ports)) == len(ports)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((LOOPBACK, ports[0]))
        assert not accepts_connections(ports[0])
        bound[0].listen()
        assert accepts_connections(ports[0])
        with pytest.raises(ServerFailedError, match=f"Port {ports[0]} cannot be listened on: Address already in use"):
            bind_port(ports[0])
    finally:
        for each in bound:
            each.close()


STUBBORN = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
open("worker", "w").write(str(os.getpid()))

def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
"""


def test_a_server_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    """After `close` neither the server nor a worker that ignores the signal is left."""
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    process = GunicornProcess("stubborn:app", bind=bind_port(), working_folder=tmp_path)
    process.wait_until(lambda: (tmp_path / "worker").exists() and (tmp_path / "worker").read_text() != "")
    worker = int((tmp_path / "worker").read_text())
    process.begin_closing()
    process.close()

    def is_gone(pid: int) -> bool:
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

    wait_until(lambda: is_gone(worker) and is_gone(process.pid))
