"""Passes events from the gateway to the function's instances: a bounded queue, then a Unix socket."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from emulator.runtime.instance_config import KILL_HEADER


class NoFreeInstanceError(Exception):
    """All instances are busy, and the queue is full or the wait in it took too long."""


class SubRuntimeDownError(Exception):
    """The instance ended during the request."""


@dataclass(frozen=True)
class SubRuntimeAnswer:
    """An instance's answer: whether the handler returned normally, and its text or that of the error."""

    succeeded: bool
    text: str


class FunctionInvoker:
    """Passes one request at a time to each of the `instances` that share the socket at `socket_path`.

    `queue_limit` requests may wait, each for `queue_timeout_seconds`. When an instance ends during a request, the
    platform tries to reach it for `retry_seconds` before it gives up. Here, too, the instance counts as busy until
    then. The handler never gets a request twice.
    """

    def __init__(
        self, socket_path: Path, *, instances: int, queue_limit: int, queue_timeout_seconds: float, retry_seconds: float
    ) -> None:
        self._socket_path = socket_path
        self._free_instances = threading.Semaphore(instances)
        self._queue_places = threading.Semaphore(queue_limit)
        self._queue_timeout_seconds = queue_timeout_seconds
        self._retry_seconds = retry_seconds

    def invoke(
        self, event: Mapping[str, Any], context: Mapping[str, Any], *, kill_after_seconds: float | None = None
    ) -> SubRuntimeAnswer:
        """The instance's answer; raises `NoFreeInstanceError` or `SubRuntimeDownError`.

        With `kill_after_seconds` the instance is killed during the handler's run, or at its end if that is earlier.
        """
        invocation = json.dumps({"event": event, "context": context}).encode()
        headers = {"Content-Type": "application/json"}
        if kill_after_seconds is not None:
            headers[KILL_HEADER] = str(kill_after_seconds)
        with self._instance():
            try:
                return self._send(invocation, headers)
            except (OSError, http.client.HTTPException) as error:
                time.sleep(self._retry_seconds)
                raise SubRuntimeDownError from error

    @contextmanager
    def _instance(self) -> Iterator[None]:
        if not self._free_instances.acquire(blocking=False):
            if not self._queue_places.acquire(blocking=False):
                raise NoFreeInstanceError
            try:
                if not self._free_instances.acquire(timeout=self._queue_timeout_seconds):
                    raise NoFreeInstanceError
            finally:
                self._queue_places.release()
        try:
            yield
        finally:
            self._free_instances.release()

    def _send(self, invocation: bytes, headers: Mapping[str, str]) -> SubRuntimeAnswer:
        connection = _UnixConnection(self._socket_path)
        try:
            connection.request("POST", "/", invocation, headers)
            response = connection.getresponse()
            return SubRuntimeAnswer(response.status == HTTPStatus.OK, response.read().decode())
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a server on a Unix socket; without a timeout, since the instance enforces one."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))
