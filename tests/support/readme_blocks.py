"""The fenced blocks of the READMEs, and the commands in those that show a console."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
READMES: Final = tuple(
    sorted(path for pattern in ("README.md", "[!.]*/README.md", "*/*/README.md") for path in ROOT.glob(pattern))
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its text without indentation."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Step:
    """A command that a console block shows, and its output."""

    command: str
    output: str


def blocks(language: str | None = None) -> list[Block]:
    """The blocks of all READMEs, or those in one language."""
    found = (block for path in READMES for block in _blocks_of(path))
    return [block for block in found if language in {None, block.language}]


def _blocks_of(path: Path) -> Iterator[Block]:
    text = path.read_text()
    for match in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(path, line, match[2], textwrap.dedent(match[3]))


def steps(block: Block) -> list[Step]:
    """The commands after `$`, with the lines that continue them, and what stands below each."""
    found: list[Step] = []
    command: list[str] = []
    output: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found += _step(command, output)
            command, output = [line[2:]], []
        elif line.startswith("> ") or command[-1].endswith("\\"):
            command.append(line.removeprefix("> "))
        else:
            output.append(line)
    return [*found, *_step(command, output)]


def _step(command: list[str], output: list[str]) -> list[Step]:
    return [Step("\n".join(command), "\n".join(output))] if command else []


def section(path: Path, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    return path.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(table: str) -> list[str]:
    """The first column of the tables in `table`, without their headers."""
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")]
    return [cell for cell, below in zip(rows, [*rows[1:], ""], strict=True) if set(cell) != {"-"} != set(below)]


def shown_json(key: str) -> Any:
    """The one JSON block that has `key`."""
    (found,) = (value for value in map(json.loads, (block.text for block in blocks("json"))) if key in value)
    return found
