"""Tags: how long each is, wherever it stands."""

import pytest
from support.file_kinds import ape_tag
from support.mp3_files import id3v2_with_cover

from transcriber.audio.tags import END_BYTES, end_tag_bytes, tag_bytes

OLDEST = b"TAG" + bytes(125)


@pytest.mark.parametrize("tag", [id3v2_with_cover(500), ape_tag(500, at_start=True), b""])
def test_tag_at_the_beginning(tag: bytes) -> None:
    """An ID3v2 tag and an APE tag say how long they are."""
    assert tag_bytes(tag + b"\xff\xfb" + bytes(100)) == len(tag)


@pytest.mark.parametrize(
    "tag", [ape_tag(500), ape_tag(70, version=1000) + OLDEST, ape_tag(9, at_start=True), OLDEST, b""]
)
def test_tag_at_the_end(tag: bytes) -> None:
    """An APE tag is found by its footer, with and without a header, and before the oldest kind of tag."""
    data = b"\xff\xfb" + bytes(400) + tag
    assert end_tag_bytes(data[-END_BYTES:]) == len(tag)
