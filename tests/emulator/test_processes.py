"""Tests of the emulator's processes: the ports that they get."""

import socket

import pytest

from emulator.processes import LOOPBACK, ServerFailedError, accepts_connections, bind_port, port_of


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
