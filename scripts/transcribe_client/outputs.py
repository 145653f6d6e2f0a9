"""Where transcripts go: which file each format of a recording becomes, and the files themselves."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The endings of the files. The two kinds of JSON differ, so that both can be requested at once.
SUFFIXES: Final = {"text": ".txt", "json": ".json", "verbose_json": ".verbose.json", "srt": ".srt", "vtt": ".vtt"}


@dataclass(frozen=True)
class OutputFile:
    """A format of a recording's transcript, and the file that it becomes."""

    response_format: str
    path: Path


def output_files(stem: Path, formats: Sequence[str]) -> tuple[OutputFile, ...]:
    """The files of a recording; `stem` is their common path without an ending."""
    return tuple(OutputFile(each, stem.parent / f"{stem.name}{SUFFIXES[each]}") for each in formats)


def write(path: Path, content: bytes) -> None:
    """Write the whole file or none: a half would be taken for a transcript by the next run. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
