"""Tests of finding, joining and checking the recogniser's model, with models of a few bytes."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from emulator.recognisers.model_files import (
    CACHE_VARIABLE,
    DEFAULT_BEAM_SIZE,
    REPOSITORY,
    WHISPER_BASE,
    WHISPER_TINY_ENGLISH,
    ModelFiles,
    PublishedModel,
    RecogniserUnavailableError,
    cache_folder,
    find_model,
    model_folder,
)

FIRST, SECOND = b"first half, ", b"second half"
COMPANIONS = {"config.json": b"{}", "tokenizer.json": b"[]", "vocabulary.txt": b"a\nb"}
PARTED = PublishedModel(
    name="parted",
    distributions=("parted-1", "parted-2"),
    weights=("model.bin.part1", "model.bin.part2"),
    sha256=hashlib.sha256(FIRST + SECOND).hexdigest(),
    beam_size=1,
)
WHOLE = PublishedModel(
    name="whole",
    distributions=("whole",),
    weights=("model.bin",),
    sha256=hashlib.sha256(FIRST).hexdigest(),
    beam_size=2,
)
Install = Callable[[str, Mapping[str, bytes]], None]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def install(site: Path) -> Install:
    """Installs files in `site` as pip does for a wheel with data only."""

    def install(name: str, files: Mapping[str, bytes]) -> None:
        package = name.replace("-", "_")
        data, information = site / package / "data", site / f"{package}-1.0.dist-info"
        data.mkdir(parents=True)
        information.mkdir()
        for file, content in files.items():
            (data / file).write_bytes(content)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (information / "RECORD").write_text("".join(f"{package}/data/{file},,\n" for file in files))

    return install


@pytest.fixture
def parted(install: Install) -> None:
    install("parted-1", {"model.bin.part1": FIRST, **COMPANIONS})
    install("parted-2", {"model.bin.part2": SECOND})


def find(site: Path) -> ModelFiles:
    return find_model(search_path=[str(site)], published=[PARTED, WHOLE])


@pytest.mark.usefixtures("parted")
def test_model_in_parts_is_joined_into_one_folder(site: Path, tmp_path: Path) -> None:
    """A model in parts becomes a folder with the whole weights and all other files."""
    folder = model_folder(find(site), tmp_path / "cache")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"model.bin": FIRST + SECOND, **COMPANIONS}


@pytest.mark.usefixtures("parted")
def test_joined_file_is_kept(site: Path, tmp_path: Path) -> None:
    """A joined file with the right hash is not written again."""
    joined = model_folder(find(site), tmp_path / "cache") / "model.bin"
    before = joined.stat().st_ino, joined.stat().st_mtime_ns
    model_folder(find(site), tmp_path / "cache")
    assert (joined.stat().st_ino, joined.stat().st_mtime_ns) == before


@pytest.mark.usefixtures("parted")
@pytest.mark.parametrize("damage", [b"", b"first half, second hall", FIRST], ids=["empty", "one bit", "cut short"])
def test_damaged_cache_is_joined_again(site: Path, tmp_path: Path, damage: bytes) -> None:
    """A damaged joined file is detected by its hash, and replaced."""
    joined = model_folder(find(site), tmp_path / "cache") / "model.bin"
    joined.write_bytes(damage)
    model_folder(find(site), tmp_path / "cache")
    assert joined.read_bytes() == FIRST + SECOND


@pytest.mark.usefixtures("parted")
def test_damaged_parts_are_refused(site: Path, tmp_path: Path) -> None:
    """Installed parts that do not form the published model are refused, and the message says what to do."""
    (site / "parted_2" / "data" / "model.bin.part2").write_bytes(b"something else")
    with pytest.raises(RecogniserUnavailableError, match="scripts/setup"):
        model_folder(find(site), tmp_path / "cache")


def test_damaged_whole_model_is_refused(install: Install, site: Path, tmp_path: Path) -> None:
    """A model in one wheel is used where it is installed, but only if its hash is right."""
    install("whole", {"model.bin": FIRST, **COMPANIONS})
    assert model_folder(find(site), tmp_path / "cache") == site / "whole" / "data"
    (site / "whole" / "data" / "model.bin").write_bytes(SECOND)
    with pytest.raises(RecogniserUnavailableError, match="whole is damaged"):
        model_folder(find(site), tmp_path / "cache")


@pytest.mark.usefixtures("parted")
def test_first_published_model_wins(install: Install, site: Path) -> None:
    """With both models installed, the preferred one is used, with its own beam size."""
    install("whole", {"model.bin": FIRST, **COMPANIONS})
    found = find(site)
    assert (found.name, found.beam_size) == ("parted", 1)


def test_fallback_when_a_part_is_missing(install: Install, site: Path) -> None:
    """If a part of the preferred model is missing, the fallback is used."""
    install("parted-1", {"model.bin.part1": FIRST, **COMPANIONS})
    install("whole", {"model.bin": FIRST, **COMPANIONS})
    assert find(site).name == "whole"


def test_nothing_installed_says_what_to_do(site: Path) -> None:
    """Without any model, the message names the command that installs one."""
    with pytest.raises(RecogniserUnavailableError, match="run scripts/setup"):
        find(site)


@pytest.mark.usefixtures("parted")
def test_users_folder_wins(site: Path, tmp_path: Path) -> None:
    """A folder that the user names is used unchanged, also if a model is installed."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("model.bin", "tokenizer.json"):
        (folder / name).write_bytes(b"anything")
    found = find_model(folder, search_path=[str(site)], published=[PARTED])
    assert (model_folder(found, tmp_path / "cache"), found.beam_size) == (folder, DEFAULT_BEAM_SIZE)


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json"])
def test_incomplete_folder_is_refused(tmp_path: Path, missing: str) -> None:
    """A folder without weights or tokeniser is refused at once, and nothing is downloaded instead."""
    for name in {"model.bin", "tokenizer.json"} - {missing}:
        (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(RecogniserUnavailableError, match=f"has no {missing}"):
        find_model(tmp_path)


def test_a_known_model_is_installed() -> None:
    """The model that scripts/setup installed is one of the two published ones."""
    assert find_model().name in {WHISPER_BASE.name, WHISPER_TINY_ENGLISH.name}


def test_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Joined models are stored in the repository's .cache, or in the folder that TRANSCRIBER_CACHE names."""
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert cache_folder() == REPOSITORY / ".cache" / "recogniser"
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path / "recogniser"
