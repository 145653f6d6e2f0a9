"""Tests of which compiled files are taken for the platform's, on real ones: of this machine, and of the archive."""

import sys
import zipfile
from pathlib import Path

import pydantic_core._pydantic_core
import pytest
from support.archives import BUILD_TIMEOUT_SECONDS, built

from build_archive.elf import faults, is_compiled

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_SECONDS)

EXTENSION = "package/pydantic_core/_pydantic_core.cpython-311-x86_64-linux-musl.so"

# In the ELF header, 2 bytes that name the machine.
MACHINE_OFFSET = 18
AARCH64 = b"\xb7\x00"


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    with zipfile.ZipFile(built().path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "pydantic_core" in name}


def found(name: str, data: bytes, names: object = (), *, python_version: str = "3.11") -> str:
    return "; ".join(faults(name, data, set(names), python_version))  # type: ignore[call-overload] # any collection of names


def test_a_musl_wheel_has_no_fault(content: dict[str, bytes]) -> None:
    """The extension module of a musl wheel, and the library that the wheel brings, pass."""
    compiled = [name for name, data in content.items() if is_compiled(name, data)]
    assert len(compiled) == 2
    for name in compiled:
        assert found(name, content[name], content) == ""


def test_a_library_that_is_not_there_is_missed(content: dict[str, bytes]) -> None:
    """What a wheel brings counts only where the loader would look for it."""
    elsewhere = {name.replace("pydantic_core.libs", "other.libs") for name in content}
    assert "needs libgcc_s" in found(EXTENSION, content[EXTENSION], elsewhere)


@pytest.mark.skipif(sys.platform != "linux", reason="there are no ELF files of another libc on this machine")
def test_a_glibc_wheel_is_refused() -> None:
    """An extension module of this machine is refused by its name, and renamed by what it needs."""
    path = Path(pydantic_core._pydantic_core.__file__)
    data = path.read_bytes()
    assert "its name ends with none of" in found(f"package/pydantic_core/{path.name}", data)
    renamed = found(EXTENSION, data)
    assert "its name" not in renamed
    assert "it needs libc.so.6, which neither the platform nor its wheel has" in renamed
    assert "it needs GLIBC_2." in renamed


def test_another_machine_is_refused(content: dict[str, bytes]) -> None:
    """A file for another processor is refused by its header."""
    data = content[EXTENSION]
    other = data[:MACHINE_OFFSET] + AARCH64 + data[MACHINE_OFFSET + len(AARCH64) :]
    assert found(EXTENSION, other, content) == "it is ET_DYN for EM_AARCH64, not ET_DYN for EM_X86_64"


@pytest.mark.parametrize(
    "name",
    [
        "package/a/_a.cpython-312-x86_64-linux-musl.so",
        "package/a/_a.cpython-311-x86_64-linux-gnu.so",
        "package/a/_a.cpython-311-darwin.so",
        "package/a/_a.so",
    ],
)
def test_another_tag_is_refused(content: dict[str, bytes], name: str) -> None:
    """A module that Python 3.11 on Alpine does not look for, or cannot tell, is refused, whatever is in it."""
    assert "its name ends with none of" in found(name, content[EXTENSION])


def test_a_program_is_refused(content: dict[str, bytes]) -> None:
    """ELF files are known by their bytes, so that a program without a suffix is looked at, and refused."""
    data = content[EXTENSION]
    assert is_compiled("package/bin/tool", data)
    assert "its name ends with none of" in found("package/bin/tool", data)


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"\xcf\xfa\xed\xfe of another system", b"\x7fELF\x02\x01" + b"\0" * 60]
)
def test_what_only_looks_like_a_library_is_refused(data: bytes) -> None:
    """A file with a library's name that no loader could read is refused, and breaks nothing."""
    assert is_compiled(EXTENSION, data)
    assert found(EXTENSION, data) != ""


def test_zlib_is_the_systems() -> None:
    """A library of PyAV needs zlib, which no wheel brings and each image of Python has; nothing else is missing."""
    with zipfile.ZipFile(built().path) as archive:
        names = archive.namelist()
        codecs = next(name for name in names if "/libavcodec-" in name)
        data = archive.read(codecs)
    assert b"libz.so.1" in data
    assert not any("libz" in name for name in names)
    assert found(codecs, data, names) == ""
