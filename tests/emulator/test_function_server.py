"""Tests of a function server: reload, privacy, port, end."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.function_folders import TIMEOUT_SECONDS, WAITING_HANDLER, get, wait_until, written

from emulator.function_server import FunctionServer
from emulator.processes import ServerFailedError


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_changed_source_file_restarts_the_instances(tmp_path: Path) -> None:
    """With `reload`, a changed handler is served without a restart of the server."""
    written(tmp_path, "def handle(event, context): return 'before'")
    with FunctionServer(tmp_path, reload=True) as function:
        assert get(function).text == "before"
        written(tmp_path, "def handle(event, context): return 'after the change'")
        wait_until(lambda: get(function).text == "after the change")


def test_without_reload_a_changed_source_file_changes_nothing(tmp_path: Path) -> None:
    """Without `reload`, an instance keeps the handler that it imported."""
    written(tmp_path, "def handle(event, context): return 'before'")
    with FunctionServer(tmp_path) as function:
        assert get(function).text == "before"
        written(tmp_path, "def handle(event, context): return 'after the change'")
        time.sleep(2.5)  # more than two rounds of the watcher that must not be there
        assert get(function).text == "before"


def test_a_private_function_needs_its_token(tmp_path: Path) -> None:
    """Without the right `X-Auth-Token` the answer is a 403; neither the function nor the log has the token."""
    token = "a-s\u00e9cret"
    log = tmp_path / "log"
    source = "import os\ndef handle(event, context): return ' '.join(os.environ.values())"
    with (
        log.open("ab") as output,
        FunctionServer(written(tmp_path, source), private_token=token, output=output) as function,
    ):

        def status(headers: dict[str, bytes]) -> int:
            return requests.get(function.url, headers=headers, timeout=TIMEOUT_SECONDS).status_code

        assert status({}) == 403
        assert status({"X-Auth-Token": b""}) == 403
        assert status({"X-Auth-Token": b"another"}) == 403
        assert status({"X-Auth-Token": token.encode() + b"x"}) == 403
        answer = requests.get(function.url, headers={"X-Auth-Token": token.encode()}, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 200
        assert token not in answer.text
    assert token not in log.read_text()


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    """A second server on the same port fails with an error that names the port, and the first goes on."""
    folder = written(tmp_path, "def handle(event, context): return 'the first'")
    with FunctionServer(folder) as function:
        with pytest.raises(ServerFailedError, match=str(function.port)):
            FunctionServer(folder, port=function.port)
        assert get(function).text == "the first"


def test_closing_ends_a_running_handler(tmp_path: Path) -> None:
    """After `close` no process of the function is left, not even one that runs a request."""
    folder = written(tmp_path, WAITING_HANDLER)
    with ThreadPoolExecutor() as pool:
        with FunctionServer(folder, retry_seconds=0.1) as function:
            pids = function.instance_pids()
            running = pool.submit(get, function)
            wait_until((tmp_path / "running").exists)
            assert all(is_alive(pid) for pid in pids)
        wait_until(lambda: not any(is_alive(pid) for pid in pids))
        # The client's connection breaks, or the gateway's last answer is an error.
        assert running.exception() is not None or running.result().status_code >= 500
