"""Tests of the process that runs a handler: import, environment and log."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.function_folders import get, wait_until, written

from emulator.function_server import FunctionServer

IMPORT_FAILED = (
    "An error occured during handler execution: Function Handler does not exist, check that you provided the right "
    "HANDLER parameter (path to your module with exported function to use), check your function logs\n"
)

DOWN = "too many retries, sub-runtime server did not come up in 10ms seconds\n"
HANDLE = "def handle(event, context): return 'handled'"


def test_the_handler_runs_where_the_platform_runs_it(tmp_path: Path) -> None:
    """The handler runs on the main thread, outside of its folder, with the given environment and its dependencies."""
    written(tmp_path, "VALUE = 'a dependency'", "package/vendored.py")
    written(tmp_path, "VALUE = 'a sibling'", "sibling.py")
    source = """
        import json, os, sys, threading
        import sibling, vendored

        def handle(event, context):
            return json.dumps({
                "on main thread": threading.current_thread() is threading.main_thread(),
                "working directory": os.getcwd(),
                "environment": dict(os.environ),
                "path": sys.path,
                "imported": [sibling.VALUE, vendored.VALUE],
            })
        """
    os.environ["OF_THE_EMULATOR"] = "1"
    try:
        with FunctionServer(written(tmp_path, source), environment={"A_SETTING": "a"}) as function:
            answer = get(function).json()
    finally:
        del os.environ["OF_THE_EMULATOR"]
    assert answer["on main thread"]
    assert Path(answer["working directory"]) not in {tmp_path, Path.cwd()}
    assert answer["environment"]["A_SETTING"] == "a"
    assert "OF_THE_EMULATOR" not in answer["environment"]
    assert answer["path"][:2] == [str(tmp_path), str(tmp_path / "package")]
    assert str(Path.cwd()) not in answer["path"]
    assert answer["imported"] == ["a sibling", "a dependency"]


def test_the_handler_is_imported_in_the_first_request(tmp_path: Path) -> None:
    """The first request imports the handler, not the server's start; the second uses the same module."""
    source = f"""
        import pathlib
        pathlib.Path({str(tmp_path / "imported")!r}).touch()
        requests = 0

        def handle(event, context):
            global requests
            requests += 1
            return str(requests)
        """
    with FunctionServer(written(tmp_path, source)) as function:
        assert not (tmp_path / "imported").exists()
        assert [get(function).text, get(function).text] == ["1", "2"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(None, id="no handler.py"),
        pytest.param("def handle(event, context) return 1", id="syntax error"),
        pytest.param("import a_module_that_is_not_there", id="missing module"),
        pytest.param("raise RuntimeError('at import')", id="exception"),
        pytest.param("def handler(event, context): return 'x'", id="no function handle"),
    ],
)
def test_a_failed_import_is_answered_and_tried_again(tmp_path: Path, source: str | None) -> None:
    """Each request gets the platform's text until the file can be imported; the server goes on."""
    if source is not None:
        written(tmp_path, source)
    with FunctionServer(tmp_path) as function:
        for _ in range(2):
            answer = get(function)
            assert (answer.status_code, answer.text) == (500, IMPORT_FAILED)
        if source is not None and source.startswith("def handler("):
            return  # imported, and kept from now on
        written(tmp_path, "def handle(event, context): return 'now it is right'")
        assert get(function).text == "now it is right"


def test_stderr_is_logged_at_once_and_stdout_when_the_request_ends(tmp_path: Path) -> None:
    """The handler's stdout is held back while it runs, and is in the log when the answer arrives."""
    source = f"""
        import pathlib, sys, time

        def handle(event, context):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            while not pathlib.Path({str(tmp_path / "release")!r}).exists():
                time.sleep(0.02)
            return "done"
        """
    log = tmp_path / "log"
    with (
        log.open("ab") as output,
        FunctionServer(written(tmp_path, source), output=output) as function,
        ThreadPoolExecutor() as pool,
    ):
        running = pool.submit(get, function)
        wait_until(lambda: "to stderr\n" in log.read_text())
        assert "to stdout" not in log.read_text()
        (tmp_path / "release").touch()
        assert running.result().text == "done"
        assert log.read_text() == "to stderr\nto stdout\n"


def test_an_exception_leaves_no_traceback_in_the_log(tmp_path: Path) -> None:
    """The log has the handler's output, nothing of its exception, and only the message of a failed import."""
    log = tmp_path / "log"
    with log.open("ab") as output:
        source = "def handle(event, context):\n    print('printed')\n    raise ValueError('its message')\n"
        with FunctionServer(written(tmp_path, source), output=output) as function:
            assert get(function).text == "An error occured during handler execution: its message\n"
        with FunctionServer(written(tmp_path, "import missing_module"), output=output) as function:
            assert get(function).text == IMPORT_FAILED
    assert log.read_text() == "printed\nNo module named 'missing_module'\n"


@pytest.mark.parametrize("status", [0, 1, 3, 4, 255])
def test_an_exit_costs_one_request(tmp_path: Path, status: int) -> None:
    """A handler that ends its process with any status is answered with the platform's 500, and is replaced."""
    source = f"""
        import os

        def handle(event, context):
            if event["queryStringParameters"]:
                os._exit({status})
            return "still there"
        """
    with FunctionServer(written(tmp_path, source), retry_seconds=0.1) as function:
        for _ in range(3):
            answer = get(function, end="1")
            assert (answer.status_code, answer.text) == (500, DOWN)
        assert get(function).text == "still there"


def test_an_exit_during_the_import_costs_one_request(tmp_path: Path) -> None:
    """So does a module that ends the process while it is imported."""
    source = "import os\nif not os.path.exists('left'):\n    open('left', 'x').close()\n    os._exit(3)\n"
    with FunctionServer(written(tmp_path, source + HANDLE), retry_seconds=0.1) as function:
        assert get(function).text == DOWN
        assert get(function).text == "handled"


@pytest.mark.parametrize("name", ["index", "instance", "events", "emulator", "emulator.runtime", "wsgi", "app"])
def test_a_module_of_any_name_is_the_functions_own(tmp_path: Path, name: str) -> None:
    """A user's module is found before those of the runtime and of the emulator, as a module and as the handler's."""
    path = name.replace(".", "/") + ".py"
    written(tmp_path, "def handle(event, context): return __file__", path)
    with FunctionServer(tmp_path, handler=f"{name}.handle") as function:
        assert get(function).text == str(tmp_path / path)
    written(tmp_path, f"import {name} as own\ndef handle(event, context): return own.__file__")
    with FunctionServer(tmp_path) as function:
        assert get(function).text == str(tmp_path / path)


@pytest.mark.parametrize(
    ("handler", "path"), [("src/main.handle", "src"), ("src.main.handle", ""), ("src/deep/main.handle", "src/deep")]
)
def test_the_handler_has_the_name_that_is_configured(tmp_path: Path, handler: str, path: str) -> None:
    """A folder without a handler.py is served by its handler's name, with the module's folder on the path."""
    folder = "src/deep" if "deep" in handler else "src"
    written(tmp_path, "import sys\ndef handle(event, context): return sys.path[0]", f"{folder}/main.py")
    with FunctionServer(tmp_path, handler=handler) as function:
        assert Path(get(function).text) == tmp_path / path


def test_a_line_of_64_kib_wedges_the_instance_on_demand(tmp_path: Path) -> None:
    """After such a line nothing is logged, and a request that fills the pipe ends at its time limit."""
    source = """
        import sys

        def handle(event, context):
            size = int(event["queryStringParameters"].get("size", 0))
            print("x" * size, flush=True)
            return "answered"
        """
    log = tmp_path / "log"
    with (
        log.open("ab") as output,
        FunctionServer(
            written(tmp_path, source),
            output=output,
            wedge_on_long_lines=True,
            timeout_seconds=2,
            retry_seconds=0.1,
        ) as function,
    ):
        assert get(function, size="65535").text == "answered"
        wait_until(lambda: "x" * 65535 + "\n" in log.read_text())
        assert get(function, size="65536").text == "answered"
        wait_until(lambda: log.read_text().endswith("Error scanning stdout: bufio.Scanner: token too long\n"))
        assert get(function, size="100000").text == DOWN
        assert get(function, size="1").text == "answered"


def test_a_long_line_is_logged_whole_by_default(tmp_path: Path) -> None:
    """Without the option, a line of any length is passed on."""
    log = tmp_path / "log"
    source = "def handle(event, context):\n    print('x' * 300_000)\n    return 'answered'"
    with log.open("ab") as output, FunctionServer(written(tmp_path, source), output=output) as function:
        assert get(function).text == "answered"
    assert log.read_text() == "x" * 300_000 + "\n"
