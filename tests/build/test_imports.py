"""The check of imports: what the function imports is in the archive or in the library, without anything being run."""

import dataclasses
from pathlib import Path

import pytest
from support.function_folders import written

from build_archive.errors import BuildError
from build_archive.imports import check_imports
from build_archive.job import PLATFORM, THIS_MACHINE, Job


def job(folder: Path, **modules: str) -> Job:
    """A tree with the function's modules; `__` in a name is a slash."""
    written(folder, "import json\nfrom transcriber.a import b\n", "handler.py")
    written(folder, "", "transcriber/__init__.py")
    written(folder, "b = 1\n", "transcriber/a.py")
    for name, text in modules.items():
        written(folder, text, f"{name.replace('__', '/')}.py")
    return Job(folder, THIS_MACHINE, folder)


@pytest.mark.parametrize(
    "modules",
    [
        {},
        {"package__used": "import os.path", "transcriber__c": "import used"},
        {"package__used__x": "from . import y", "package__used__y": "", "transcriber__c": "import used.x"},
        {"transcriber__c": "try:\n    import absent\nexcept ImportError:\n    pass"},
        {"transcriber__c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import absent"},
        {"package__never": "import absent"},
        {"package__used": "def call():\n    import absent", "transcriber__c": "import used"},
    ],
    ids=["library", "package", "relative", "tried", "types", "never imported", "optional"],
)
def test_what_is_there(tmp_path: Path, modules: dict[str, str]) -> None:
    """Imports of the library and the packages pass, and so does what may fail, or is not reached."""
    check_imports(job(tmp_path, **modules))


@pytest.mark.parametrize(
    ("modules", "told"),
    [
        ({"transcriber__c": "import absent"}, "transcriber/c.py: absent"),
        ({"transcriber__c": "from transcriber.absent import x"}, "transcriber/c.py: transcriber.absent"),
        ({"transcriber__c": "def call():\n    import absent"}, "transcriber/c.py: absent"),
        ({"package__used": "import absent", "transcriber__c": "import used"}, "package/used.py: absent"),
        (
            {"package__used__x": "from .absent import y", "transcriber__c": "import used.x"},
            "package/used/x.py: used.absent",
        ),
    ],
    ids=["ours", "of ours", "within a function", "of a package", "relative"],
)
def test_what_is_not_there(tmp_path: Path, modules: dict[str, str], told: str) -> None:
    """What would fail at a first request ends the build, with the module and who imports it."""
    with pytest.raises(BuildError, match=told):
        check_imports(job(tmp_path, **modules))


def test_compiled_module_stands_for_its_source(tmp_path: Path) -> None:
    """Where a compiled module lies beside its source, the source is not what runs, and its imports do not count."""
    made = job(tmp_path, package__used="import cython", transcriber__c="import used")
    written(tmp_path, "", "package/used.cpython-311-x86_64-linux-musl.so")
    check_imports(made)


def test_library_of_another_python(tmp_path: Path) -> None:
    """A module that another Python's library no longer has is missed there; without that Python, this one's counts."""
    made = job(tmp_path, transcriber__c="import no_longer_there")
    nowhere = dataclasses.replace(made, target=dataclasses.replace(PLATFORM, python_version="3.99"))
    for each in (made, nowhere):
        with pytest.raises(BuildError, match="no_longer_there"):
            check_imports(each)
