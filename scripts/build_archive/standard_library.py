"""Bytecode of the standard library for the archive; `transcriber/startup/bytecode.py` says what it is for."""

import subprocess
from pathlib import Path

from build_archive.bytecode import find_python
from build_archive.errors import BuildError
from build_archive.job import Job

FOLDER = "bytecode"

# What no function imports, and half of the library's size: tests, graphical programs, installers, and what builds.
LEFT_OUT = frozenset(
    {
        *("test", "tests", "idlelib", "tkinter", "turtledemo", "turtle.py", "lib2to3", "ensurepip", "distutils"),
        *("pydoc_data", "pydoc.py", "site-packages", "dist-packages", "__phello__", "__pycache__"),
    }
)

# Compiles each file of the library to a file of the archive, with checked hashes (PEP 552) and paths that are the same
# wherever the library is. Run by the target's Python, since only that makes its bytecode.
_COMPILE = """
import sys, pathlib, py_compile, sysconfig
library, output, left_out = pathlib.Path(sysconfig.get_path("stdlib")), pathlib.Path(sys.argv[1]), set(sys.argv[2:])
for source in sorted(library.rglob("*.py")):
    relative = source.relative_to(library)
    if left_out.isdisjoint(relative.parts) and not relative.parts[0].startswith("config-"):
        compiled = output / f"{relative}c"
        compiled.parent.mkdir(parents=True, exist_ok=True)
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(source), str(compiled), f"<standard library>/{relative}", True, invalidation_mode=mode)
"""


def compile_standard_library(job: Job) -> None:
    """Add the bytecode of the standard library; without a Python of the target's version, none is added."""
    python = find_python(job)
    if python is None:
        return  # compile_bytecode has said so
    done = subprocess.run(
        [python, "-s", "-S", "-P", "-c", _COMPILE, str(job.tree / FOLDER), *sorted(LEFT_OUT)],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"The standard library does not compile for {job.target.name}:\n{done.stderr.strip()}")
    if not Path(job.tree / FOLDER / "json" / "__init__.pyc").is_file():
        raise BuildError(f"The bytecode of the standard library for {job.target.name} is not there.")
