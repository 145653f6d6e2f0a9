"""Names of objects: they decide only that nobody reads what surely is no recording."""

import pytest

from transcriber.request.object_names import ends_like_audio, may_be_audio


@pytest.mark.parametrize(
    "key",
    [
        *("a.mp3", "a.b/c.WAV", "folder.json/call-17", "x.webm", "Meeting 25.11.2026", "talk.m4a (1)", ".hidden"),
        *("voice.qta", "old.3ga", "a.MTS", "a.vob", "a.dss", "a.unknown", "talk.mp3.part", "1.2.3"),
    ],
)
def test_whatever_may_be_a_recording_is_read(key: str) -> None:
    """An ending of audio or video, one that nobody knows, a date, and none at all: the bytes decide."""
    assert may_be_audio(key)


@pytest.mark.parametrize(
    "key",
    [
        *("a.mp3.json", "a.txt", "a.mp3.error.json", "a.srt", "folder/", "folder/A.JPG", "b.PDF", "a/.DS_Store"),
        *("Thumbs.db", "a.zip", "a.vtt", "a.html", "notes.md", "a.docx", "a.tsv"),
    ],
)
def test_what_surely_is_no_recording_is_left_unread(key: str) -> None:
    """Texts, pictures, documents, archives, our own results, folders, and what systems leave in them are not read."""
    assert not may_be_audio(key)


@pytest.mark.parametrize(("key", "expected"), [("a.m4a", True), ("x/B.QTA", True), ("a.m4a (1)", False), ("a", False)])
def test_doubtful_names_are_those_without_an_ending_of_audio(key: str, *, expected: bool) -> None:
    """The first bytes of other names are requested by themselves."""
    assert ends_like_audio(key) is expected
