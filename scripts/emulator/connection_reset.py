"""Resets a client's connection as a crashed host does, while gunicorn goes on serving other clients."""

import os
import socket
import struct

# SO_LINGER with a time of zero: closing then drops unsent data, and resets the connection.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(connection: socket.socket) -> None:
    """Reset the client's connection; gunicorn gets a socket that is not connected, and closes it as usual."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    with socket.socket() as unconnected:
        os.dup2(unconnected.fileno(), connection.fileno())
