"""The archive: nothing is uploaded that the platform could not run, or that holds more than the function."""

from pathlib import Path

import pytest
from support.deployments import FILES, archive_of

from build_archive.limits import MAX_UNPACKED_BYTES
from deploy_tools.archive import check_archive
from deploy_tools.errors import DeploymentError


@pytest.mark.parametrize(
    "bytecode", [{}, {"__pycache__/handler.cpython-311.pyc": b""}], ids=["without bytecode", "with bytecode"]
)
def test_right_archive(bytecode: dict[str, bytes], tmp_path: Path) -> None:
    """Handler, package and dependencies, and no more than their bytecode, are what an archive is made of."""
    check_archive(archive_of(FILES | bytecode, tmp_path / "function.zip"), "3.11")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"handler.py": b""}, "lacks package, transcriber"),
        ({f"function/{name}": content for name, content in FILES.items()}, "lacks handler.py"),
        (FILES | {".env": b"KEY=value"}, r"holds \.env,"),
        (FILES | {"tests/test_handler.py": b""}, "holds tests,"),
        (FILES | {"package/compiled.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"}, "compiled.cpython-311"),
        (FILES | {"package/data": bytes(MAX_UNPACKED_BYTES)}, "MB"),
    ],
    ids=["incomplete", "in a folder", "with secrets", "with tests", "for another machine", "too large"],
)
def test_wrong_archives(files: dict[str, bytes], told: str, tmp_path: Path) -> None:
    """What is missing, strange, or for another machine is named."""
    with pytest.raises(DeploymentError, match=told):
        check_archive(archive_of(files, tmp_path / "function.zip"), "3.11")


def test_damaged_archive(tmp_path: Path) -> None:
    """An archive whose bytes are not those that were packed is refused."""
    path = archive_of({"handler.py": b"unlikely " * 1000, **FILES}, tmp_path / "function.zip")
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DeploymentError):
        check_archive(path, "3.11")


def test_no_archive(tmp_path: Path) -> None:
    """A file that is not an archive, or does not exist, is reported."""
    (tmp_path / "function.zip").write_text("not a zip")
    for name in ("function.zip", "nowhere.zip"):
        with pytest.raises(DeploymentError, match="no archive that can be read"):
            check_archive(tmp_path / name, "3.11")
