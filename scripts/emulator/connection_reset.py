"""Resets a client's connection as a crashed host does, under a gunicorn that goes on serving others."""

import os
import socket
import struct

# SO_LINGER, on and with no time: closing then drops unsent data, and resets the connection.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(connection: socket.socket) -> None:
    """Reset the client's connection; gunicorn sees a socket that is not connected, and closes it as usual."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    with socket.socket() as unconnected:
        os.dup2(unconnected.fileno(), connection.fileno())
