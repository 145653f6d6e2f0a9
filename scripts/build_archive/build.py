"""The build as a whole: one step after the other, then the checks, and only then an archive."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from build_archive.archive import check_compiled_files, measure, write
from build_archive.bytecode import compile_bytecode
from build_archive.dependencies import drop_what_nobody_reads, install_dependencies
from build_archive.errors import BuildError
from build_archive.imports import check_imports
from build_archive.job import Job, Target
from build_archive.limits import Size, check_size
from build_archive.sources import copy_sources
from build_archive.standard_library import compile_standard_library

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# What fills the tree, in this order; each sees what those before it made, and whatever it adds is shipped.
STEPS: tuple[Callable[[Job], None], ...] = (
    copy_sources,
    install_dependencies,
    drop_what_nobody_reads,
    check_imports,
    compile_bytecode,
    compile_standard_library,
)


def build(output: Path, target: Target, *, repository: Path = REPOSITORY) -> Size:
    """Make the archive `output` of the function in `repository`, for `target`.

    Whatever was there before is removed first, so that after a failure no older archive is taken for this one. Raises
    `BuildError`.
    """
    output = output.absolute()
    # Beside the output, since only within a file system a file is renamed at once, and so never seen half written.
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        unfinished.touch(exist_ok=False)
        output.unlink(missing_ok=True)
        with TemporaryDirectory(prefix="function-build-") as folder:
            job = Job(repository, target, Path(folder) / "tree")
            for step in STEPS:
                step(job)
            write(job.tree, unfinished, target.compression_level)
        size = measure(unfinished)
        check_size(size)
        if target.uv_platform is not None:  # of this machine's, the emulator is the judge
            check_compiled_files(unfinished, target.python_version)
        unfinished.replace(output)
    except OSError as error:
        raise BuildError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return size
