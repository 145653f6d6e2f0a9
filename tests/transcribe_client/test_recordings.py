"""Tests of the recordings that arguments name."""

import shutil
from pathlib import Path

from support.recordings import AUDIO

from transcribe_client.recordings import find


def test_a_folder_is_walked_by_first_bytes(tmp_path: Path) -> None:
    """A folder gives its recordings in order, whatever their names, and neither texts, hidden files nor transcripts."""
    for name in ("b.mp3", "a/Meeting 25.11.2026", "a/.hidden.mp3", ".git/x.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(AUDIO / "jfk.mp3", tmp_path / name)
    (tmp_path / "notes").write_text("These are notes.")
    (tmp_path / "b.srt").write_text("1\n")
    found = find([str(tmp_path)])
    assert [each.name for each in found] == [str(tmp_path / "b.mp3"), str(tmp_path / "a" / "Meeting 25.11.2026")]


def test_outputs_of_a_folder_keep_its_tree(tmp_path: Path) -> None:
    """The outputs of a walked folder lie as the recordings do, and an address gives its last part."""
    (tmp_path / "monday").mkdir()
    shutil.copy(AUDIO / "jfk.mp3", tmp_path / "monday" / "talk.mp3")
    found = find([str(tmp_path), "https://example.com/a/lecture%201.mp3?x=1", "https://example.com/"])
    assert [str(each.stem) for each in found] == ["monday/talk", "lecture 1", "recording"]


def test_recordings_never_share_outputs(tmp_path: Path) -> None:
    """Recordings with the same stem get outputs with their whole names, also when only one of them is named."""
    shutil.copy(AUDIO / "jfk.mp3", tmp_path / "talk.mp3")
    shutil.copy(AUDIO / "jfk.wav", tmp_path / "talk.wav")
    (tmp_path / "talk.srt").write_text("1\n")
    alone = find([str(tmp_path / "talk.mp3")])
    both = find([str(tmp_path)])
    assert [str(each.stem) for each in alone] == ["talk.mp3"]
    assert [str(each.stem) for each in both] == ["talk.mp3", "talk.wav"]
    urls = find(["https://example.com/1/talk.mp3", "https://example.com/2/talk.mp3"])
    assert len({each.stem for each in urls}) == 2


def test_a_recording_is_taken_once(tmp_path: Path) -> None:
    """A file that is named twice, and in a folder that is named, is one recording."""
    shutil.copy(AUDIO / "jfk.mp3", tmp_path / "talk.mp3")
    name = str(tmp_path / "talk.mp3")
    assert len(find([name, name, str(tmp_path)])) == 1
