"""Breaks a client's connection as a crashed host does, under a gunicorn that goes on serving the others."""

import os
import socket
import struct

# SO_LINGER, on and with no time to do so: closing then drops what is unsent, and tells the other side by a reset.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(connection: socket.socket) -> None:
    """Have the client see a TCP reset, and gunicorn a socket that is not connected, which it closes as any other."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    with socket.socket() as unconnected:
        os.dup2(unconnected.fileno(), connection.fileno())
