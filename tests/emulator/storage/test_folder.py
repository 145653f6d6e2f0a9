"""Tests of the folder that objects are kept in."""

from dataclasses import replace
from pathlib import Path

from emulator.storage.folder import KeptObject, StorageFolder

RECORDING = KeptObject("recordings", "a", b"audio", "etag", {"content-type": "audio/mpeg"}, 1_800_000_000.25)


def test_objects_outlive_their_folder_object(tmp_path: Path) -> None:
    """What was kept is there when the folder is opened again: a key, keys that start with it, and odd ones."""
    keys = ["a", "a/b", "../a", "é" * 500, "\n"]
    folder = StorageFolder(tmp_path / "made" / "anew")
    for key in keys:
        folder.keep(replace(RECORDING, key=key))
    folder.close()
    folder = StorageFolder(tmp_path / "made" / "anew")
    assert sorted(kept.key for kept in folder.objects()) == sorted(keys)
    assert replace(RECORDING, key="../a") in folder.objects()
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    folder.close()


def test_a_key_has_one_object(tmp_path: Path) -> None:
    """A second object of a key takes the first one's place; the same key of another bucket is another object."""
    folder = StorageFolder(tmp_path)
    folder.keep(RECORDING)
    folder.keep(replace(RECORDING, bucket="others"))
    folder.keep(replace(RECORDING, etag="new", body=b"new audio"))
    assert folder.version("recordings", "a") == ("new", RECORDING.modified)
    assert folder.version("others", "a") == ("etag", RECORDING.modified)
    assert (folder.keys("recordings"), len(list(folder.objects()))) == (["a"], 2)
    folder.close()


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    """An object can be removed, and removing one that is not there changes nothing."""
    folder = StorageFolder(tmp_path)
    folder.keep(RECORDING)
    folder.forget("recordings", "b")
    assert folder.keys("recordings") == ["a"]
    folder.forget("recordings", "a")
    assert (folder.keys("recordings"), folder.version("recordings", "a")) == ([], None)
    folder.close()
