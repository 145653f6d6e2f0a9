"""Tests of the folder that keeps objects."""

from dataclasses import replace
from pathlib import Path

from emulator.storage.folder import KeptObject, StorageFolder

RECORDING = KeptObject("recordings", "a", b"audio", "etag", {"content-type": "audio/mpeg"}, 1_800_000_000.25)


def test_objects_outlive_their_folder_object(tmp_path: Path) -> None:
    """Kept objects are there when the folder is opened again: a key, keys with it as a prefix, and unusual ones."""
    keys = ["a", "a/b", "../a", "é" * 500, "\n"]
    folder = StorageFolder(tmp_path / "new" / "folder")
    for key in keys:
        folder.keep(replace(RECORDING, key=key))
    folder.close()
    folder = StorageFolder(tmp_path / "new" / "folder")
    assert sorted(kept.key for kept in folder.objects()) == sorted(keys)
    assert replace(RECORDING, key="../a") in folder.objects()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    folder.close()


def test_a_key_has_one_object(tmp_path: Path) -> None:
    """A second object replaces the first one with its key; the same key in another bucket is another object."""
    folder = StorageFolder(tmp_path)
    folder.keep(RECORDING)
    folder.keep(replace(RECORDING, bucket="others"))
    folder.keep(replace(RECORDING, etag="new", body=b"new audio"))
    assert folder.version("recordings", "a") == ("new", RECORDING.modified)
    assert folder.version("others", "a") == ("etag", RECORDING.modified)
    assert (folder.keys("recordings"), len(list(folder.objects()))) == (["a"], 2)
    folder.close()


def test_an_object_can_be_removed(tmp_path: Path) -> None:
    """A removed object is gone, and removing a missing one changes nothing."""
    folder = StorageFolder(tmp_path)
    folder.keep(RECORDING)
    folder.remove("recordings", "b")
    assert folder.keys("recordings") == ["a"]
    folder.remove("recordings", "a")
    assert (folder.keys("recordings"), folder.version("recordings", "a")) == ([], None)
    folder.close()
