"""Tells whether a compiled file of the archive loads on the platform: Alpine, which is musl, on x86-64.

A wheel for another libc or another Python installs without a word, and fails at the first request in the cloud. The
loader of musl is no judge either: it lists a file for glibc as if all were well.
"""

import posixpath
from collections.abc import Collection, Iterator
from io import BytesIO

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import StringTableSection

MAGIC_NUMBER = b"\x7fELF"
MACHINE = "EM_X86_64"
SHARED_OBJECT = "ET_DYN"

# What the platform's image is sure to have: musl, by its two names, and zlib, without which its Python would have no
# `zlib` module, and could not unpack a zip. PyAV's wheel leaves zlib out because each system has it.
SYSTEM_LIBRARIES = frozenset({"libc.so", "libc.musl-x86_64.so.1", "libz.so.1"})
GLIBC_VERSION = "GLIBC_"

# The stable ABI's name for an extension module, which is the same for every version and libc.
STABLE_SUFFIX = ".abi3.so"

# Where wheels keep the libraries that they bring: `<distribution>.libs/`, beside their packages.
LIBRARIES_SUFFIX = ".libs"


def is_compiled(name: str, data: bytes) -> bool:
    """Whether a file of the archive is for a loader, by its bytes, or only by its name."""
    return data.startswith(MAGIC_NUMBER) or posixpath.basename(name).endswith(".so")


def extension_suffixes(python_version: str) -> tuple[str, str]:
    """The names that this Python on Alpine tries for an extension module.

    The bare `.so` is left out, which tells nothing of its kind.
    """
    return f".cpython-{python_version.replace('.', '')}-x86_64-linux-musl.so", STABLE_SUFFIX


def faults(name: str, data: bytes, names: Collection[str], python_version: str) -> Iterator[str]:
    """Why the platform, with this Python, would not load the file `name` of an archive that has `names`."""
    suffixes = extension_suffixes(python_version)
    if not posixpath.dirname(name).endswith(LIBRARIES_SUFFIX) and not name.endswith(suffixes):
        yield f"its name ends with none of {', '.join(suffixes)}"
    try:
        file = ELFFile(BytesIO(data))
        machine, kind = file["e_machine"], file["e_type"]
        needed, search_path = _dynamic(file)
        versions = sorted(set(_versions(file)))
    except ELFError as error:
        yield f"it is no library in ELF format: {error}"
        return
    if machine != MACHINE or kind != SHARED_OBJECT:
        yield f"it is {kind} for {machine}, not {SHARED_OBJECT} for {MACHINE}"
    folders = [_folder(entry, name) for entry in search_path]
    for library in needed:
        if library not in SYSTEM_LIBRARIES and not any(posixpath.join(folder, library) in names for folder in folders):
            yield f"it needs {library}, which neither the platform nor its wheel has"
    for version in versions:
        if version.startswith(GLIBC_VERSION):
            yield f"it needs {version}"


def _dynamic(file: ELFFile) -> tuple[list[str], list[str]]:
    """The libraries that the file needs, and where it has the loader look for them."""
    libraries: list[str] = []
    search_path: list[str] = []
    section = next((section for section in file.iter_sections() if isinstance(section, DynamicSection)), None)
    if section is None:
        raise ELFError("there is no dynamic section")
    strings = file.get_section(section["sh_link"])
    if not isinstance(strings, StringTableSection):
        raise ELFError("its dynamic section has no names")
    for tag in section.iter_tags():
        if tag["d_tag"] == "DT_NEEDED":
            libraries.append(strings.get_string(tag["d_val"]))
        elif tag["d_tag"] in {"DT_RPATH", "DT_RUNPATH"}:
            search_path += strings.get_string(tag["d_val"]).split(":")
    return libraries, search_path


def _versions(file: ELFFile) -> Iterator[str]:
    for section in file.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                yield from (version.name for version in versions)


def _folder(entry: str, name: str) -> str:
    """An entry of a search path, as a folder of the archive."""
    origin = posixpath.dirname(name)
    return posixpath.normpath(entry.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))
