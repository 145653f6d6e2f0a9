"""Tests of what is taken of the repository."""

from pathlib import Path

import pytest
from support.function_folders import written

from build_archive.errors import BuildError
from build_archive.job import THIS_MACHINE, Job
from build_archive.sources import copy_sources


def copied(repository: Path, tree: Path) -> set[str]:
    copy_sources(Job(repository, THIS_MACHINE, tree))
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}


def test_nothing_else_of_the_repository_is_taken(tmp_path: Path) -> None:
    """Secrets, tests, caches and other modules stay where they are."""
    repository = tmp_path / "repository"
    for name in (
        "handler.py",
        "transcriber/__init__.py",
        "transcriber/sources/url.py",
        "transcriber/__pycache__/url.cpython-311.pyc",
        "transcriber/.url.py.swp",
        "transcriber/.idea/settings.py",
        "transcriber/README.md",
        "other.py",
        ".env",
        "tests/test_handler.py",
        "scripts/emulator/__init__.py",
        "package/old.py",
    ):
        written(repository, "", name)
    assert copied(repository, tmp_path / "tree") == {
        "handler.py",
        "transcriber/__init__.py",
        "transcriber/sources/url.py",
    }


def test_a_file_that_is_no_module_is_named(tmp_path: Path) -> None:
    """What the function might read at run time is neither left out nor taken in silence."""
    repository = written(tmp_path / "repository", "", "handler.py")
    written(repository, "a,b", "transcriber/table.csv")
    with pytest.raises(BuildError, match=r"transcriber/table\.csv is no Python file"):
        copied(repository, tmp_path / "tree")


def test_a_missing_handler_is_named(tmp_path: Path) -> None:
    """Without a handler there is no function."""
    with pytest.raises(BuildError, match=r"handler\.py cannot be copied: No such file or directory"):
        copied(tmp_path / "repository", tmp_path / "tree")
