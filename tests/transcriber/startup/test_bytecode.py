"""The standard library's bytecode from the archive: used where it fits, and only there."""

import colorsys
import json
import marshal
import subprocess
import sys
from importlib.util import source_hash
from pathlib import Path

import pytest

from transcriber.startup.bytecode import header

SOURCE = Path(__file__).parents[3] / "transcriber" / "startup" / "bytecode.py"
MODULE = Path(colorsys.__file__)

# A module of the standard library that no interpreter loads by itself, with a mark to know it by.
MARKED = compile(MODULE.read_text() + "\nMARK = 'from the archive'\n", "colorsys.py", "exec")


def imported(tree: Path, code: str = "import colorsys") -> dict[str, object]:
    """What becomes of an import in a fresh interpreter with the archive's tree before all else."""
    (tree / "transcriber" / "startup").mkdir(parents=True)
    (tree / "transcriber" / "__init__.py").touch()
    (tree / "transcriber" / "startup" / "__init__.py").touch()
    (tree / "transcriber" / "startup" / "bytecode.py").write_text(SOURCE.read_text())
    program = f"""
import sys
sys.path.insert(0, {str(tree)!r})
from transcriber.startup.bytecode import use_shipped_bytecode
use_shipped_bytecode()
{code}
import json, colorsys, email.message
loader = type(json.__spec__.loader).__module__
found = {{"mark": getattr(colorsys, "MARK", None), "file": colorsys.__file__, "loader": loader}}
print(json.dumps(found | {{"hls": colorsys.rgb_to_hls(1, 1, 1)}}))
"""
    done = subprocess.run(  # noqa: S603 # our own code
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def ship(tree: Path, data: bytes) -> None:
    (tree / "bytecode").mkdir()
    (tree / "bytecode" / "colorsys.pyc").write_bytes(data)


def test_bytecode_of_this_source_is_used(tmp_path: Path) -> None:
    """A module whose source is the one that the bytecode was made from comes from the archive."""
    ship(tmp_path, header(MODULE.read_bytes()) + marshal.dumps(MARKED))
    result = imported(tmp_path)
    assert (result["mark"], result["file"]) == ("from the archive", str(MODULE))
    assert result["loader"] == "transcriber.startup.bytecode"


@pytest.mark.parametrize(
    "data",
    [
        header(MODULE.read_bytes() + b"# another patch release") + marshal.dumps(MARKED),
        b"\x00\x00\r\n" + header(MODULE.read_bytes())[4:] + marshal.dumps(MARKED),
        header(MODULE.read_bytes())[:10],
        b"",
    ],
    ids=["another-source", "another-python", "cut", "empty"],
)
def test_other_bytecode_is_not(tmp_path: Path, data: bytes) -> None:
    """Bytecode of another source or another Python, or a part of one, is passed over, and the module is right."""
    ship(tmp_path, data)
    result = imported(tmp_path)
    assert (result["mark"], result["hls"]) == (None, [0.0, 1.0, 0.0])


def test_nothing_changes_without_the_folder(tmp_path: Path) -> None:
    """In a tree without bytecode, such as a checkout, modules are imported as ever."""
    result = imported(tmp_path)
    assert result["mark"] is None
    assert result["loader"] == "_frozen_importlib_external"


def test_packages_outside_the_library_are_left_alone(tmp_path: Path) -> None:
    """Only the standard library's own folders are served so."""
    ship(tmp_path, b"")
    (tmp_path / "mine.py").write_text("x = 1\n")
    imported(tmp_path, "import mine; assert type(mine.__spec__.loader).__module__ != 'transcriber.startup.bytecode'")


def test_header_is_that_of_a_checked_hash() -> None:
    """The header is what the import system itself writes for a .pyc whose hash is to be checked."""
    assert header(b"x")[4:] == b"\x03\x00\x00\x00" + source_hash(b"x")
