"""Tests of the bytecode: by which Python it is made, and what happens without one."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from support.function_folders import written

from build_archive.bytecode import compile_bytecode
from build_archive.errors import BuildError
from build_archive.job import THIS_MACHINE, Job, Target


def job(folder: Path, target: Target) -> Job:
    written(folder / "tree", "import module\nprint(module.__cached__, module.VALUE)\n", "main.py")
    written(folder / "tree", "VALUE = 1\n", "module.py")
    return Job(folder / "repository", target, folder / "tree")


def test_bytecode_is_what_runs(tmp_path: Path) -> None:
    """A module is run from its bytecode, even when its source is younger, and says another thing."""
    compile_bytecode(job(tmp_path, THIS_MACHINE))
    written(tmp_path / "tree", "VALUE = 2\n", "module.py")
    command = [sys.executable, "-B", str(tmp_path / "tree" / "main.py")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 # our own module
    assert said == f"{tmp_path}/tree/__pycache__/module.{sys.implementation.cache_tag}.pyc 1\n"


def test_without_the_right_python_there_is_no_bytecode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No other version takes its place: there is none, and what that costs is said."""
    compile_bytecode(job(tmp_path, dataclasses.replace(THIS_MACHINE, python_version="3.99")))
    assert list((tmp_path / "tree").rglob("*.pyc")) == []
    said = capsys.readouterr().err
    assert said.startswith("There is no Python 3.99 here, nor can it be had: no bytecode, so each cold start")


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    """A syntax error ends the build, not the first request."""
    broken = job(tmp_path, THIS_MACHINE)
    written(broken.tree, "def broken(:\n", "transcriber/broken.py")
    with pytest.raises(BuildError, match=r"transcriber/broken\.py"):
        compile_bytecode(broken)


def test_bytecode_of_another_version_is_refused(tmp_path: Path) -> None:
    """A Python whose bytecode has another magic number than the target's ends the build."""
    with pytest.raises(BuildError, match="is no bytecode that"):
        compile_bytecode(job(tmp_path, dataclasses.replace(THIS_MACHINE, magic_number=b"\x00\x00\r\n")))
