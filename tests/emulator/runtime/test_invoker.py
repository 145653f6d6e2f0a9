"""Tests of the invoker: how many requests run at once, the queue, and the end of an instance."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.function_folders import WAITING_HANDLER, get, wait_until, written

from emulator.function_server import FunctionServer

# Instead of the platform's ten seconds, which each test of a killed instance would take.
RETRY_SECONDS = 0.5

SUB_RUNTIME_DOWN = "too many retries, sub-runtime server did not come up in 10ms seconds\n"

MEETING = """
    import pathlib, time

    def handle(event, context):
        folder = pathlib.Path(__file__).parent
        me = event["queryStringParameters"]["me"]
        with (folder / "log").open("a") as log:
            log.write(f"+{{me}} ")
            log.flush()
            deadline = time.monotonic() + {seconds}
            while "+a" not in (text := (folder / "log").read_text()) or "+b" not in text:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            log.write(f"-{{me}} ")
        return "done"
    """


@pytest.mark.parametrize(
    ("instances", "seconds", "order"),
    [
        pytest.param(1, 0.5, {"+a -a +b -b ", "+b -b +a -a "}, id="one instance: one after the other"),
        pytest.param(2, 30, {"+a +b ", "+b +a "}, id="two instances: both at once"),
    ],
)
def test_as_many_requests_run_at_once_as_there_are_instances(
    tmp_path: Path, instances: int, seconds: float, order: set[str]
) -> None:
    """Two requests overlap with two instances, and one waits with one instance."""
    folder = written(tmp_path, MEETING.format(seconds=seconds))
    with FunctionServer(folder, instances=instances) as function, ThreadPoolExecutor() as pool:
        assert len(function.instance_pids()) == instances
        answers = list(pool.map(lambda me: get(function, me=me).text, "ab"))
    assert answers == ["done", "done"]
    log = (tmp_path / "log").read_text()
    assert any(log.startswith(start) for start in order)


@pytest.mark.parametrize(
    ("queue_limit", "queue_timeout_seconds"),
    [pytest.param(0, 60.0, id="no place in the queue"), pytest.param(5, 0.2, id="too long in the queue")],
)
def test_beyond_the_queue_a_request_is_refused(tmp_path: Path, queue_limit: int, queue_timeout_seconds: float) -> None:
    """With all instances busy, a request gets a 503 if the queue is full, or if it waited too long."""
    folder = written(tmp_path, WAITING_HANDLER)
    with (
        FunctionServer(folder, queue_limit=queue_limit, queue_timeout_seconds=queue_timeout_seconds) as function,
        ThreadPoolExecutor() as pool,
    ):
        running = pool.submit(get, function)
        wait_until((tmp_path / "running").exists)
        refused = get(function)
        (tmp_path / "release").touch()
        assert refused.status_code == 503
        assert running.result().text == "done"
        assert get(function).text == "done"


DYING = """
    import os, time

    def handle(event, context):
        how = event["queryStringParameters"].get("how")
        if how == "kill":
            os.kill(os.getpid(), 9)
        elif how == "exit":
            os._exit(1)
        elif how == "sleep":
            time.sleep(600)
        return str(os.getpid())
    """


@pytest.mark.parametrize("how", ["kill", "exit", "sleep"])
def test_an_instance_that_ends_is_an_error_and_replaced(tmp_path: Path, how: str) -> None:
    """If an instance is killed, exits or exceeds its timeout, the client gets the platform's 500; a new one follows."""
    with FunctionServer(written(tmp_path, DYING), timeout_seconds=1, retry_seconds=RETRY_SECONDS) as function:
        first = get(function).text
        answer = get(function, how=how)
        assert (answer.status_code, answer.text) == (500, SUB_RUNTIME_DOWN)
        second = get(function)
        assert second.status_code == 200
        assert second.text != first


def test_an_instance_killed_while_idle_is_replaced(tmp_path: Path) -> None:
    """After the kill of an idle instance, a new one serves the next request, and is in the list of process ids."""
    with FunctionServer(written(tmp_path, DYING), retry_seconds=RETRY_SECONDS) as function:
        [instance] = function.instance_pids()
        assert get(function).text == str(instance)
        os.kill(instance, signal.SIGKILL)
        wait_until(lambda: function.instance_pids() not in ([], [instance]))
        assert [get(function).text] == [str(pid) for pid in function.instance_pids()]
