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
