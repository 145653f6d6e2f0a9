"""The recordings that the arguments name: files, what folders hold, and addresses."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from transcriber.audio import mp3
from transcriber.audio.containers import SIGNATURE_BYTES, sniff
from transcriber.request.object_names import ends_like_audio, may_be_audio

# The first bytes of a file that decide whether it is a recording; MP3 frames may begin behind a tag and garbage.
EXAMINED_BYTES = 64 * 1024
URL_NAME = "recording"
# Part of a digest that tells apart addresses with the same name.
DIGEST_CHARACTERS = 8


@dataclass(frozen=True)
class Recording:
    """A recording: a file of this machine (`path`), or an address (`url`).

    `name` is what the user called it. `stem` is the path of its outputs without an ending, relative to a folder.
    """

    name: str
    stem: Path
    path: Path | None = None
    url: str | None = None

    @property
    def folder(self) -> Path:
        """The folder beside the recording; the current one for an address."""
        return Path() if self.path is None else self.path.parent


def find(arguments: Sequence[str]) -> list[Recording]:
    """The recordings, in order and each once; folders are walked in the order of their names."""
    found: dict[str, Recording] = {}
    for argument in arguments:
        for recording in _find(argument):
            found.setdefault(recording.name, recording)
    return _with_distinct_stems(list(found.values()))


def _find(argument: str) -> Iterator[Recording]:
    if argument.startswith(("http://", "https://")):
        name = PurePosixPath(unquote(urlsplit(argument).path)).name
        yield Recording(argument, Path(PurePosixPath(name).stem or URL_NAME), url=argument)
        return
    path = Path(argument)
    if not path.is_dir():
        yield Recording(argument, Path(path.stem), path=path)
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(files):
            file = Path(folder) / name
            if not name.startswith(".") and _is_recording(file):
                yield Recording(str(file), file.relative_to(path).with_suffix(""), path=file)


def _is_recording(path: Path) -> bool:
    """Whether a file of a folder is a recording: by its ending where that is clear, otherwise by its first bytes."""
    if not may_be_audio(path.name):
        return False
    if ends_like_audio(path.name):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(EXAMINED_BYTES)
    except OSError:
        return True  # the user learns that it cannot be read
    after_tag = head[mp3.tag_bytes(head[:SIGNATURE_BYTES]) :] or head
    return sniff(after_tag[:SIGNATURE_BYTES]).demuxer is not None or mp3.read_layout(after_tag, offset=0) is not None


def _with_distinct_stems(recordings: list[Recording]) -> list[Recording]:
    """The recordings with outputs of their own: `talk.mp3` beside `talk.wav` has `talk.mp3.srt`.

    The neighbours in the folder count, named or not, so that a second run finds the same names.
    """
    targets = Counter(each.stem for each in recordings)
    shared_in_folders: dict[Path, frozenset[str]] = {}
    distinct = []
    for each in recordings:
        if each.path is None:
            is_shared = targets[each.stem] > 1
        else:
            if each.folder not in shared_in_folders:
                shared_in_folders[each.folder] = _shared_stems(each.folder)
            is_shared = targets[each.stem] > 1 or each.path.stem in shared_in_folders[each.folder]
        distinct.append(replace(each, stem=_distinct_stem(each)) if is_shared else each)
    return distinct


def _distinct_stem(recording: Recording) -> Path:
    if recording.path is not None:
        return recording.stem.with_name(recording.path.name)
    digest = hashlib.sha256(recording.name.encode()).hexdigest()[:DIGEST_CHARACTERS]
    return recording.stem.with_name(f"{recording.stem.name}-{digest}")


def _shared_stems(folder: Path) -> frozenset[str]:
    """The stems that several recordings in `folder` have."""
    names = [file for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
    stems = Counter(file.stem for file in names)
    several = (file for file in names if stems[file.stem] > 1)
    recordings = Counter(file.stem for file in several if _is_recording(file))
    return frozenset(stem for stem, number in recordings.items() if number > 1)
