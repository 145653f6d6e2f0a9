"""Tests of the build as a whole: what is in the archive, that it is always the same, and how a build fails."""

import hashlib
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from support.archives import BUILD_TIMEOUT_SECONDS, ROOT, built, run_build

from build_archive.build import build
from build_archive.errors import BuildError
from build_archive.job import PLATFORM, Target

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def content() -> zipfile.ZipFile:
    return zipfile.ZipFile(built().path)


def repository(folder: Path) -> Path:
    """A copy of what a build reads."""
    shutil.copytree(ROOT / "transcriber", folder / "transcriber", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("handler.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def fails(folder: Path) -> str:
    """The message of a build of `folder`, after which there is neither an archive nor a part of one."""
    output = folder / "output" / "function.zip"
    output.parent.mkdir()
    output.write_text("an archive of another day")
    with pytest.raises(BuildError) as caught:
        build(output, PLATFORM, repository=folder)
    assert list(output.parent.iterdir()) == []
    return str(caught.value)


def built_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch, target: Target) -> Path:
    """What a copy of the sources gives, built elsewhere with another hash seed, language and home."""
    elsewhere = folder / "quite" / "another" / "folder"
    elsewhere.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    for name, value in {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"}.items():
        monkeypatch.setenv(name, value)
    source = folder / "source"
    source.mkdir()
    build(folder / "function.zip", target, repository=repository(source))
    return folder / "function.zip"


def test_the_same_inputs_give_the_same_entries(
    content: zipfile.ZipFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is in the archive is the same once more, with all that is said of it; it is compressed less, for speed.

    That the zip depends on this alone, whatever it holds, is shown by the tests of `build_archive.archive`.
    """
    target = replace(PLATFORM, compression_level=1)
    with zipfile.ZipFile(built_elsewhere(tmp_path, monkeypatch, target)) as again:
        for one, other in zip(content.infolist(), again.infolist(), strict=True):
            assert one.filename == other.filename
            assert (one.date_time, one.external_attr) == (other.date_time, other.external_attr)
            assert content.read(one) == again.read(other), one.filename


@pytest.mark.long
def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive itself is the same once more."""
    assert built_elsewhere(tmp_path, monkeypatch, PLATFORM).read_bytes() == built().path.read_bytes()


def test_only_what_runs_is_in_the_archive(content: zipfile.ZipFile) -> None:
    """There is the handler, its package and the dependencies, of the first two only Python; nothing is an idle mark."""
    names = content.namelist()
    assert {name.split("/")[0] for name in names} == {"handler.py", "__pycache__", "transcriber", "package", "bytecode"}
    assert [name for name in names if name.startswith("__pycache__")] == ["__pycache__/handler.cpython-311.pyc"]
    assert {Path(name).suffix for name in names if name.startswith("transcriber/")} == {".py", ".pyc"}
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "transcriber").rglob("*.py")}
    assert {name for name in names if name.startswith("transcriber/") and name.endswith(".py")} == ours
    assert [name for name in names if re.search(r"package/bin/|/(RECORD|INSTALLER|REQUESTED)$|\.lock$", name)] == []


def test_exactly_the_locked_versions_are_in_the_archive(content: zipfile.ZipFile) -> None:
    """Each distribution has the lock's version, and keeps the metadata and the licence that go with it."""
    pins = re.findall(r"^([\w.-]+)==(\S+)(.*)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    # All but those whose marker is for another system, or another Python.
    locked = {name: version for name, version, marker in pins if not re.search(r"== 'emscripten'|>= '3\.12'", marker)}
    names = content.namelist()
    found = {
        name.split("/")[1].removesuffix(".dist-info") for name in names if re.search(r"\.dist-info/METADATA$", name)
    }
    assert found == {f"{name.replace('-', '_')}-{version}" for name, version in locked.items()}
    for each in sorted(found):
        assert any(re.match(rf"package/{re.escape(each)}\.dist-info/(licenses/)?LICEN[CS]E", name) for name in names)


def test_standard_library_has_bytecode_that_is_checked(content: zipfile.ZipFile) -> None:
    """The standard library's modules, and none of its tests, have bytecode that fits only the source it was made of."""
    names = [name for name in content.namelist() if name.startswith("bytecode/")]
    assert {"bytecode/json/__init__.pyc", "bytecode/ssl.pyc", "bytecode/email/message.pyc"} < set(names)
    assert [name for name in names if "/test" in name or not name.endswith(".pyc")] == []
    for name in names:
        assert content.read(name)[:8] == PLATFORM.magic_number + b"\x03\x00\x00\x00"


def test_every_module_has_bytecode_that_the_platform_reads(content: zipfile.ZipFile) -> None:
    """Beside each module is bytecode of CPython 3.11 that is never compared with the module's date."""
    names = set(content.namelist())
    modules = [name for name in names if name.endswith(".py")]
    assert len(modules) > 1000
    for name in modules:
        folder, _, module = name.rpartition("/")
        compiled = f"{folder}/__pycache__/{module[:-3]}.cpython-311.pyc".removeprefix("/")
        with content.open(compiled) as file:
            assert file.read(8) == b"\xa7\x0d\x0d\x0a\x01\x00\x00\x00", compiled


def test_entries_tell_nothing_of_the_machine(content: zipfile.ZipFile) -> None:
    """All entries are in order, readable files of one date; no path of this machine is in the bytecode."""
    entries = content.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr >> 16) for entry in entries} == {((1980, 1, 1, 0, 0, 0), 0o100644)}
    compiled = content.read("__pycache__/handler.cpython-311.pyc")
    assert b"handler.py" in compiled
    assert tempfile.gettempdir().encode() not in compiled


def test_a_build_reports_its_size() -> None:
    """The command prints where the archive is, its sizes beside their limits, and its hash; nothing else is left."""
    path, said = built().path, built().stdout
    assert said.startswith(f"{path}: for Python 3.11 on Alpine, x86-64, in ")
    assert f"zip       {path.stat().st_size / 1e6:6.1f} MB of at most 70\n" in said
    assert re.search(r"unpacked +[\d.]+ MB of at most 200, \d+ files\n", said)
    assert said.endswith(f"sha256    {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    assert built().stderr == ""
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_without_the_index_the_build_says_so(tmp_path: Path) -> None:
    """When no wheel can be had, the command says what it could not install, with the installer's reason, and ends."""
    output = tmp_path / "function.zip"
    output.write_text("an archive of another day")
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    nowhere |= {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_NO_CONFIG": "1"}
    done = run_build("--output", output, environment=dict(os.environ) | nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The dependencies for Python 3.11 on Alpine, x86-64 cannot be installed. uv says:\n")
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_another_hash_is_refused(tmp_path: Path) -> None:
    """A wheel whose hash is not in the lock is not shipped."""
    folder = repository(tmp_path)
    lock = (folder / "requirements.txt").read_text()
    pinned = re.search(r"^certifi==\S+", lock, re.MULTILINE)
    assert pinned
    (folder / "requirements.txt").write_text(f"{pinned[0]} --hash=sha256:{'0' * 64}\n")
    assert "ash" in fails(folder)


def test_an_incomplete_lock_is_refused(tmp_path: Path) -> None:
    """A dependency that the lock forgets is noticed, not installed at some version."""
    folder = repository(tmp_path)
    lock = (folder / "requirements.txt").read_text()
    (folder / "requirements.txt").write_text(re.sub(r"^sniffio==(.*\\\n)*.*\n", "", lock, flags=re.MULTILINE))
    assert "sniffio" in fails(folder)


def test_no_requirements_are_no_build(tmp_path: Path) -> None:
    """Without a lock there is no archive with whatever the index has today."""
    folder = repository(tmp_path)
    (folder / "requirements.txt").unlink()
    assert "requirements.txt" in fails(folder)


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder that is not there is told in a sentence."""
    with pytest.raises(BuildError, match=r"nowhere/function\.zip cannot be written: No such file or directory"):
        build(tmp_path / "nowhere" / "function.zip", PLATFORM)
