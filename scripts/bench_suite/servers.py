"""Runs a server in a process of its own, with one thread for each connection."""

import multiprocessing
import socket
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread
from typing import TypeAlias

from bench_suite.exchange import Request, read_request
from bench_suite.links import SOCKET_BUFFER_BYTES, Links
from emulator.closing import Closing
from emulator.processes import LOOPBACK

Answer: TypeAlias = Callable[[socket.socket, Request], None]
# Makes, in the server's own process, what answers each of its requests.
AnswerMaker: TypeAlias = Callable[[Links], Answer]

BACKLOG = 64


class ServerProcess(Closing):
    """A server on a free port of loopback, until closed; `make_answer` is a function of a module."""

    def __init__(self, make_answer: AnswerMaker, links: Links) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make_answer, links), daemon=True)
        self._process.start()
        theirs.close()
        with ours:
            self.port: int = ours.recv()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    def close(self) -> None:
        """Stop it, whatever it is doing."""
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(port: "Connection[int, None]", make_answer: AnswerMaker, links: Links) -> None:
    answer = make_answer(links)
    with socket.socket() as listener:
        if links.bytes_per_second is not None:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # of the listener: connections inherit them
                listener.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        listener.bind((LOOPBACK, 0))
        listener.listen(BACKLOG)
        with port:
            port.send(listener.getsockname()[1])
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Thread(target=_converse, args=(connection, answer), daemon=True).start()


def _converse(connection: socket.socket, answer: Answer) -> None:
    with connection, connection.makefile("rb") as stream, suppress(OSError):
        while request := read_request(stream):
            answer(connection, request)
