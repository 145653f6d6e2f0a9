"""Checks that what the function imports is there: in the archive, or in the library of the target's Python.

Nothing is run, so that an archive for another machine can be checked. From our own modules on, each import that is not
conditional is followed; one that is tried, or stands under an `if`, may fail.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from build_archive.bytecode import find_python
from build_archive.errors import BuildError
from build_archive.job import Job
from build_archive.sources import HANDLER, PACKAGE

_LIST_LIBRARY = "import sys; print(*sys.stdlib_module_names)"


def check_imports(job: Job) -> None:
    """Raises `BuildError` that names each module that is imported and not there, and who imports it."""
    found = sorted(set(_missing(job.tree, job.package, _library(job))))
    if found:
        raise BuildError("\n".join([f"These imports would fail on {job.target.name}:", *found]))


def _library(job: Job) -> frozenset[str]:
    """The names of the standard library's modules, by the target's Python where it is to be had."""
    python = find_python(job) or sys.executable
    done = subprocess.run([python, "-S", "-E", "-c", _LIST_LIBRARY], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


def _missing(tree: Path, package: Path, library: frozenset[str]) -> Iterator[str]:
    waiting = [(path, True) for path in (tree / HANDLER, *sorted((tree / PACKAGE).rglob("*.py")))]
    seen = {path for path, _ in waiting}
    while waiting:
        path, is_ours = waiting.pop()
        for name in _imports(path, tree if is_ours else package, is_ours=is_ours):
            if name.partition(".")[0] in library:
                continue
            files = _files(name, (tree, package))
            if not files:
                yield f"  {path.relative_to(tree)}: {name}"
            for file in files:
                if file.suffix == ".py" and file not in seen:
                    seen.add(file)
                    waiting.append((file, package not in file.parents))


def _imports(path: Path, root: Path, *, is_ours: bool) -> Iterator[str]:
    """The modules that the module at `path` imports; in a module of ours, within its functions, too."""
    parsed = ast.parse(path.read_bytes())
    nodes = _unconditional(parsed) if is_ours else iter(parsed.body)
    parents = path.relative_to(root).with_suffix("").parts[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            yield ".".join(filter(None, (above, node.module)))


def _unconditional(node: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.Try):
            continue
        if isinstance(child, ast.stmt):
            yield child
        yield from _unconditional(child)


def _files(name: str, roots: tuple[Path, ...]) -> list[Path]:
    """The files that an import of `name` loads: each package on the way, and the module; none where it is not there."""
    for root in roots:
        files: list[Path] = []
        folder = root
        for part in name.split("."):
            module = folder / f"{part}.py"
            folder /= part
            compiled = next(folder.parent.glob(f"{part}.*.so"), None) or next(folder.parent.glob(f"{part}.so"), None)
            # In the order of Python's own: a compiled module is what runs, whatever source lies beside it.
            if (folder / "__init__.py").is_file():
                files.append(folder / "__init__.py")
            elif compiled is not None:
                files.append(compiled)
            elif module.is_file():
                files.append(module)
            elif not folder.is_dir():  # and no package without an `__init__.py` either
                files = []
                break
            else:
                files.append(folder)
        if files:
            return files
    return []
