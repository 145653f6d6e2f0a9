"""Tests of base64 as Go reads it."""

import pytest

from emulator.runtime.base64_check import illegal_byte, is_base64


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("!", 0),
        ("A P8=", 1),
        ("AA!A", 2),
        ("AAAA!AAA", 4),
        ("AAAAé", 4),
        ("\r\nAA\n!A", 5),
        # A text that ends too early.
        ("A", 0),
        ("AAAAA", 4),
        ("AAA", 0),
        ("AAAA\nAAA", 5),
        # Padding that is too early, too short, or followed by more.
        ("=", 0),
        ("A===", 1),
        ("AA=", 3),
        ("AA=A", 2),
        ("AA==A", 4),
        ("AAA=A", 4),
        ("AAA==", 4),
        ("AA==\nAAAA", 5),
    ],
)
def test_the_illegal_byte(text: str, position: int) -> None:
    """The position is the one of Go's CorruptInputError."""
    assert not is_base64(text)
    assert illegal_byte(text) == position


@pytest.mark.parametrize("text", ["", "AAAA", "AA==", "AAA=", "A\nA\r=\n=\n", "\n"])
def test_base64_has_no_illegal_byte(text: str) -> None:
    """Both functions agree on what is base64."""
    assert is_base64(text)
    with pytest.raises(ValueError, match="is base64"):
        illegal_byte(text)
