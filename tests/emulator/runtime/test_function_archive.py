"""Tests of an archive in place of a folder: it is served from its content only, and nothing can be written."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.function_folders import get

from emulator.function_server import FunctionServer
from emulator.runtime.function_archive import ArchiveRefusedError, unpacked

HANDLER = "def handle(event, context):\n    return 'served'\n"

REPORTING_HANDLER = """
import importlib.util, json, os, pathlib, stat, sys
import vendored

def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))

def handle(event, context):
    folder = pathlib.Path(__file__).parent
    return json.dumps({
        "name": context["functionName"],
        "folder": str(folder),
        "path": sys.path,
        "vendored": vendored.VALUE,
        "found": [name for name in ("pydantic", "requests", "openai", "of_the_path") if importlib.util.find_spec(name)],
        "modes": [mode(folder), mode(folder / "handler.py"), mode(folder / "package")],
        "files": sorted(path.name for path in folder.rglob("*") if path.is_file()),
    })
"""


def archived(folder: Path, **files: str) -> Path:
    """An archive with these files; `__` in a name stands for a slash."""
    path = folder / "my-function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name.replace('__', '/')}.py", text)
    return path


def test_an_archive_is_served_from_its_content(tmp_path: Path) -> None:
    """Only its own packages can be imported; it is read-only, and removed with the server."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "of_the_path.py").touch()
    archive = archived(tmp_path, handler=REPORTING_HANDLER, package__vendored="VALUE = 'its own'\n")
    with FunctionServer(archive, environment={"PYTHONPATH": str(tmp_path / "path")}) as function:
        get(function)
        report = get(function).json()
        folder = Path(report["folder"])
        assert report["path"][:2] == [str(folder), str(folder / "package")]
        assert [entry for entry in report["path"] if "site-packages" in entry] == []
        assert (report["vendored"], report["found"]) == ("its own", [])
        assert report["modes"] == ["0o555", "0o444", "0o555"]
        assert report["files"] == ["handler.py", "vendored.py"]
        assert report["name"] == "my-function"
    assert not folder.exists()


def test_a_missing_package_is_noticed(tmp_path: Path) -> None:
    """A dependency that is missing in the archive fails to import, as in the cloud, even if this environment has it."""
    with FunctionServer(archived(tmp_path, handler=f"import requests\n{HANDLER}")) as function:
        answer = get(function)
    assert (answer.status_code, "Function Handler does not exist" in answer.text) == (500, True)


def not_a_zip(path: Path) -> None:
    path.write_text("no zip")


def no_handler(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other/handler.py", HANDLER)


def for_another_machine(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("handler.py", HANDLER)
        archive.writestr("package/a.cpython-399-riscv64-linux-musl.so", b"")


def too_large_unpacked(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("handler.py", HANDLER)
        archive.filelist[0].file_size = 500 * 1024 * 1024 + 1  # the archive's directory is written from this


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("handler.py", HANDLER)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (not_a_zip, "cannot be unpacked"),
        (no_handler, r"there is no handler\.py in"),
        (for_another_machine, r"built for another machine .*scripts/build --local"),
        (too_large_unpacked, "the platform takes"),
        (too_large, "the platform takes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_archive_that_cannot_be_served_is_refused(tmp_path: Path, write: Callable[[Path], None], says: str) -> None:
    """The server does not start, and the error says what is wrong with the archive."""
    path = tmp_path / "function.zip"
    write(path)
    with pytest.raises(ArchiveRefusedError, match=says):
        FunctionServer(path)


def test_no_entry_leaves_the_folder(tmp_path: Path) -> None:
    """An entry with `..` in its name is unpacked inside the folder."""
    path = tmp_path / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("handler.py", HANDLER)
        archive.writestr("../../climbed.py", "")
    with unpacked(path, tmp_path / "a" / "b" / "folder", "handler.py") as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["climbed.py", "handler.py"]
    assert [path.name for path in tmp_path.glob("climbed.py")] == []
