"""Sources: read from the start as often as needed, never beyond the limit."""

import base64
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber.errors import AudioTooLargeError
from transcriber.request.base64_text import read_base64
from transcriber.sources.base import Reader, Source
from transcriber.sources.inline import InlineSource


def inline(data: bytes, *, max_bytes: int = 10**9) -> InlineSource:
    return InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=max_bytes)


class InBlocks(Reader):
    """Gives its bytes in blocks of 7 at most."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position
        self.closed = False

    def read(self, size: int) -> bytes:
        block = self.data[self.position :][: min(size, 7)]
        self.position += len(block)
        return block

    def close(self) -> None:
        self.closed = True


class Unannounced(Source):
    """Does not say how many bytes there are."""

    kind: ClassVar[str] = "test"

    def __init__(self, data: bytes, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)
        self.data = data
        self.reader: InBlocks | None = None

    def _connect(self, start: int) -> Reader:
        self.reader = InBlocks(self.data, start)
        return self.reader


@settings(deadline=None)
@given(st.binary(max_size=500), st.lists(st.integers(1, 100), max_size=10), st.integers(1, 50))
def test_peeking_changes_nothing(data: bytes, peeks: list[int], block: int) -> None:
    """However much is looked at before, a reading gives all bytes in order, and so does the next one."""
    source = inline(data)
    for size in peeks:
        assert source.peek(size) == data[:size]
    for _ in range(2):
        with source.open() as reader:
            assert b"".join(iter(lambda: reader.read(block), b"")) == data


def test_counts_the_bytes_of_all_readings() -> None:
    """What was read is counted once for each reading."""
    source = inline(bytes(100))
    for _ in range(2):
        with source.open() as reader:
            reader.read_fully(1000)
    assert source.bytes_read == 200


def test_announced_size_over_the_limit_is_refused_before_a_byte() -> None:
    """A source that says it is too large is refused when it is first looked at."""
    source = inline(bytes(2_500_000), max_bytes=2_000_000)
    with pytest.raises(AudioTooLargeError, match=r"2\.5 MB; the limit is 2 MB"):
        source.peek(1)
    assert source.bytes_read == 0


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 310), st.integers(1, 50))
def test_a_reading_begins_anywhere(data: bytes, start: int, block: int) -> None:
    """From any position on, a reading gives the rest, also while the beginning is being looked at."""
    source = inline(data)
    source.peek(10)
    with source.open(start) as reader:
        assert b"".join(iter(lambda: reader.read(block), b"")) == data[start:]
    with source.open() as reader:
        assert reader.read_fully(1000) == data


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 310), st.integers(0, 310))
def test_what_is_skipped_is_gone(data: bytes, first: int, skipped: int) -> None:
    """After a skip, the reading goes on behind it, or is at its end."""
    reader = InBlocks(data)
    assert reader.read_fully(first) == data[:first]
    reader.skip(skipped)
    assert reader.read_fully(1000) == data[first + skipped :]


def test_limit_holds_for_a_reading_from_the_middle() -> None:
    """The limit is one on the position in the source, wherever a reading of it began."""
    source = Unannounced(bytes(3_000), max_bytes=2_000)
    with source.open(1_000) as reader:
        reader.read_fully(1_000)
        with pytest.raises(AudioTooLargeError, match="more; the limit"):
            reader.read_fully(10)


def test_closing_closes_what_was_peeked() -> None:
    """A source that was only looked at lets go of its connection."""
    source = Unannounced(b"audio", max_bytes=100)
    with source:
        source.peek(3)
    assert source.reader is not None
    assert source.reader.closed
