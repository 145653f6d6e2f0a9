"""Archives for the platform's other Pythons: their wheels, their bytecode, and the checks before a deployment."""

import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from support.archives import BUILD_TIMEOUT_SECONDS, ROOT, run_build

from build_archive.archive import check_compiled_files
from build_archive.build import build
from build_archive.bytecode import find_python
from build_archive.errors import BuildError
from build_archive.job import BYTECODE_NUMBERS, Job, platform_target, python_of, runtime_of
from deploy_tools.archive import check_archive
from deploy_tools.errors import DeploymentError

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_SECONDS)


@pytest.mark.parametrize(
    "version", [pytest.param("3.12", marks=pytest.mark.long), "3.13", pytest.param("3.14", marks=pytest.mark.long)]
)
def test_archive_for_another_python(version: str, tmp_path: Path) -> None:
    """It has wheels of that Python alone, passes the checks of files and imports, and is no other Python's."""
    target = replace(platform_target(version), compression_level=1)
    path = tmp_path / "function.zip"
    build(path, target)
    check_archive(path, version)
    tag = f"cpython-{version.replace('.', '')}-x86_64-linux-musl"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        compiled = {match[0] for name in names if (match := re.search(r"cpython-\d+-[\w-]+", name)) and ".so" in name}
        assert compiled == {tag}
        bytecode = [name for name in names if name.endswith(".pyc")]
        for name in bytecode:
            with archive.open(name) as file:
                assert file.read(2) == BYTECODE_NUMBERS[version].to_bytes(2, "little"), name
    is_found = find_python(Job(ROOT, target, tmp_path)) is not None
    assert bool(bytecode) == is_found  # without that Python on the machine, none is made
    with pytest.raises(DeploymentError, match=r"with Python 3\.11, would not load"):
        check_archive(path, "3.11")


def test_numbers_of_bytecode() -> None:
    """The numbers known here are those of the Pythons on this machine."""
    found = {}
    for version in BYTECODE_NUMBERS:
        python = find_python(Job(ROOT, platform_target(version), ROOT))
        if python is not None:
            command = [python, "-c", "import importlib.util as u; print(int.from_bytes(u.MAGIC_NUMBER[:2], 'little'))"]
            found[version] = int(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 # a Python
    assert found
    assert found.items() <= BYTECODE_NUMBERS.items()


def test_names_of_runtimes() -> None:
    """Each Python has the platform's name for it, and other names are none of ours."""
    assert [runtime_of(version) for version in BYTECODE_NUMBERS] == ["python311", "python312", "python313", "python314"]
    assert [python_of(runtime_of(version)) for version in BYTECODE_NUMBERS] == list(BYTECODE_NUMBERS)
    assert [python_of(name) for name in ("python310", "python3.13", "node22", "")] == [None] * 4


def test_python_that_there_is_no_runtime_for() -> None:
    """The command names the Pythons that it builds for."""
    done = run_build("--python", "3.10")
    assert done.returncode == 2
    assert "'3.11', '3.12', '3.13', '3.14'" in done.stderr


def test_file_of_another_python(tmp_path: Path) -> None:
    """A file's name decides which Python loads it; the stable ABI's is loaded by each."""
    path = tmp_path / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("package/a.cpython-313-x86_64-linux-musl.so", b"\x7fELF")
    with pytest.raises(
        BuildError, match=r"(?s)with Python 3\.12.*its name ends with none of \.cpython-312-x86_64-linux-musl"
    ):
        check_compiled_files(path, "3.12")
    with pytest.raises(BuildError) as caught:
        check_compiled_files(path, "3.13")
    assert "its name" not in str(caught.value)
