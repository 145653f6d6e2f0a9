"""Tests of the zip: it depends on the content alone, and is checked as it was packed."""

import os
from pathlib import Path

import pytest
from support.function_folders import written

from build_archive.archive import check_compiled_files, measure, write
from build_archive.errors import BuildError
from build_archive.limits import Size


def test_the_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    """Other dates and modes, and files made in another order, give the same zip."""
    names = ["handler.py", "package/a.py", "package/b/c.py", "transcriber/é.py"]
    for name in names:
        written(tmp_path / "one", f"# {name}", name)
    for name in reversed(names):
        written(tmp_path / "two", f"# {name}", name)
        path = tmp_path / "two" / name
        path.chmod(0o700)
        os.utime(path, (1, 1))
    for tree in ("one", "two"):
        write(tmp_path / tree, tmp_path / f"{tree}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_size(tmp_path: Path) -> None:
    """The size is that of the zip, of all that is in it, and the number of its files."""
    written(written(tmp_path / "tree", "a" * 1000, "a.py"), "b" * 500, "package/b.py")
    write(tmp_path / "tree", tmp_path / "function.zip")
    assert measure(tmp_path / "function.zip") == Size((tmp_path / "function.zip").stat().st_size, 1500, 2)


def test_each_file_that_would_not_load_is_named(tmp_path: Path) -> None:
    """One message has all the faults, with their files."""
    written(written(tmp_path / "tree", "no library", "package/a.so"), "nor this", "package/b.so")
    write(tmp_path / "tree", tmp_path / "function.zip")
    with pytest.raises(BuildError, match=r"(?s)package/a\.so: .*package/b\.so: ") as caught:
        check_compiled_files(tmp_path / "function.zip", "3.11")
    assert str(caught.value).startswith("The platform, with Python 3.11, would not load these files:\n")
