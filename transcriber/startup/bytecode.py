"""Serves the standard library's bytecode from the archive, where the image of the platform has none.

The official Python images come without bytecode, and a function cannot write any: each cold start would compile the
170 modules of the standard library that a request needs. The archive brings it along, in the folder `bytecode`.
Measured from a fresh interpreter to the API's first byte: 0.58 CPU seconds instead of 1.24.

A file of it is used only if it was made from exactly the source that is here, by its hash (PEP 552), so another patch
release of Python costs time and nothing else. Where there is no such folder, nothing is changed.
"""

import marshal
import sys
from _frozen_importlib_external import (
    MAGIC_NUMBER,
)  # importlib.util has both, and loads 20 modules before they are fast
from _imp import source_hash
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from os import path
from types import CodeType

FOLDER = path.join(path.dirname(path.dirname(path.dirname(path.abspath(__file__)))), "bytecode")  # noqa: PTH100, PTH118, PTH120 # pathlib costs 10 ms, here
# Where the standard library is; os is loaded before any code of ours.
LIBRARY = path.dirname(sys.modules["os"].__file__ or "")  # noqa: PTH120 # as above

# A .pyc with a hash that is to be checked (PEP 552): the magic number, these flags, the hash, and the code.
CHECKED_HASH = b"\x03\x00\x00\x00"
HEADER_BYTES = 16


class _Loader(SourceFileLoader):
    """Loads a module's code from the archive if it was made from the module's source, and otherwise compiles it."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code."""
        source_path = self.get_filename(fullname)
        try:
            with open(FOLDER + source_path[len(LIBRARY) :] + "c", "rb") as file:  # noqa: PTH123 # as above
                data = file.read()
        except OSError:
            return super().get_code(fullname)
        if data[:HEADER_BYTES] != header(self.get_data(source_path)):
            return super().get_code(fullname)
        code = marshal.loads(memoryview(data)[HEADER_BYTES:])  # noqa: S302 # from the archive, as the code of this line is
        return code if isinstance(code, CodeType) else None


def header(source: bytes) -> bytes:
    """The beginning of a .pyc that this Python made from `source`."""
    return MAGIC_NUMBER + CHECKED_HASH + source_hash(int.from_bytes(MAGIC_NUMBER, "little"), source)


def _find_in(folder: str) -> FileFinder:
    """The finder for a folder of the standard library; `ImportError`, by the import system's rules, for any other."""
    if not folder.startswith(LIBRARY) or "-packages" in folder:
        raise ImportError(folder)
    return FileFinder(folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_Loader, SOURCE_SUFFIXES))


def use_shipped_bytecode() -> None:
    """From now on, import the standard library from the archive's bytecode, if there is any."""
    if path.isdir(FOLDER):  # noqa: PTH112 # as above
        sys.path_hooks.insert(0, _find_in)
        for folder in [folder for folder in sys.path_importer_cache if folder.startswith(LIBRARY)]:
            del sys.path_importer_cache[folder]
