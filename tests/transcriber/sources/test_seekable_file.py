"""Sources as files: read at any position as a file is, by as few readings of the source as possible."""

import io
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.sources.base import Reader, Source
from transcriber.sources.seekable_file import MAX_HELD_BYTES, SKIPPED_BYTES, SeekableSourceFile, open_as_file


class BytesReader(Reader):
    """A reading of some bytes."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position
        self.is_closed = False

    def read(self, size: int) -> bytes:
        assert not self.is_closed
        block = self.data[self.position : self.position + size]
        self.position += len(block)
        return block

    def close(self) -> None:
        self.is_closed = True


class RecordingSource(Source):
    """Bytes in memory, and where each reading of them began."""

    kind: ClassVar[str] = "test"

    def __init__(self, data: bytes, *, reads_again: bool = True, states_size: bool = True) -> None:
        super().__init__(max_bytes=10**9)
        self.data = data
        self.reads_again = reads_again
        self.size_bytes = len(data) if states_size else None
        self.starts: list[int] = []
        self.readers: list[BytesReader] = []

    @property
    def can_be_read_again(self) -> bool:
        return self.reads_again

    def _connect(self, start: int) -> Reader:
        self.starts.append(start)
        self.readers.append(BytesReader(self.data, start))
        return self.readers[-1]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 40)),
        st.tuples(st.just("from the start"), st.integers(0, 120)),
        st.tuples(st.just("from here"), st.integers(-30, 30)),
        st.tuples(st.just("from the end"), st.integers(-120, 10)),
    ),
    max_size=12,
)
WHENCE = {"from the start": io.SEEK_SET, "from here": io.SEEK_CUR, "from the end": io.SEEK_END}


@given(st.binary(max_size=100), steps)
def test_source_is_read_as_a_file(data: bytes, steps: list[tuple[str, int]]) -> None:
    """Whatever is read and sought, the bytes and positions are those of a file with the same content."""
    file = SeekableSourceFile(RecordingSource(data))
    position = 0
    for step, number in steps:
        if step == "read":
            expected = data[position : position + number] if number else b""
            assert file.read(number) == expected
            position += len(expected)
        else:
            base = {"from the start": 0, "from here": position, "from the end": len(data)}[step]
            position = max(0, base + number)
            assert file.seek(number, WHENCE[step]) == position
        assert file.tell() == position


@pytest.mark.parametrize("reads_again", [True, False])
def test_source_that_can_be_read_once_is_not_seekable(reads_again: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """A source that can be read only once says that it is not seekable, so that a decoder does not try."""
    file = SeekableSourceFile(RecordingSource(b"audio", reads_again=reads_again))
    assert file.seekable() is reads_again
    assert file.readable()


def test_short_way_ahead_is_skipped() -> None:
    """A position a little ahead is reached in the same reading, one far ahead or behind by another one."""
    data = bytes(3 * SKIPPED_BYTES)
    source = RecordingSource(data)
    file = SeekableSourceFile(source)
    file.read(10)
    file.seek(10 + SKIPPED_BYTES)
    assert len(file.read(10)) == 10
    assert source.starts == [0]
    file.seek(21 + 2 * SKIPPED_BYTES)
    assert len(file.read(10)) == 10
    assert source.starts == [0, 21 + 2 * SKIPPED_BYTES]
    file.seek(5)
    assert len(file.read(10)) == 10
    assert source.starts == [0, 21 + 2 * SKIPPED_BYTES, 5]
    assert [reader.is_closed for reader in source.readers] == [True, True, False]


def test_seeking_alone_reads_nothing() -> None:
    """No reading is begun before bytes are requested, nor from the end of a source whose size is known."""
    source = RecordingSource(b"audio")
    file = SeekableSourceFile(source)
    assert file.seek(3) == 3
    assert file.seek(0, io.SEEK_END) == 5
    assert file.read(10) == b""
    assert source.starts == []


def test_end_of_a_source_of_unknown_size() -> None:
    """The end of a source is no position as long as its size is not known."""
    file = SeekableSourceFile(RecordingSource(b"audio", states_size=False))
    with pytest.raises(io.UnsupportedOperation, match="size"):
        file.seek(0, io.SEEK_END)
    assert (file.read(10), file.read(10)) == (b"audio", b"")
    assert file.seek(-2, io.SEEK_END) == 3
    assert file.read(10) == b"io"


def test_all_at_once_is_not_read() -> None:
    """A read without a size, which would hold all of a recording, is an error."""
    with pytest.raises(io.UnsupportedOperation):
        SeekableSourceFile(RecordingSource(b"audio")).read()


def test_closing_ends_the_reading() -> None:
    """Closing the file closes the reading of the source."""
    source = RecordingSource(b"audio")
    with SeekableSourceFile(source) as file:
        file.read(2)
    assert [reader.is_closed for reader in source.readers] == [True]


def test_small_source_that_can_be_read_once_is_held_for_its_index() -> None:
    """A source that is read once is held where an index may stand at its end, if it is known to be small enough."""
    source = RecordingSource(b"audio", reads_again=False)
    file = open_as_file(source, has_index=True)
    assert isinstance(file, io.BytesIO)
    assert (file.seek(-2, io.SEEK_END), file.read(10), file.seek(0), file.read(10)) == (3, b"io", 0, b"audio")
    assert source.starts == [0]
    assert source.readers[0].is_closed


@pytest.mark.parametrize(
    ("source", "has_index"),
    [
        (RecordingSource(b"audio"), True),
        (RecordingSource(b"audio"), False),
        (RecordingSource(b"audio", reads_again=False), False),
        (RecordingSource(b"audio", reads_again=False, states_size=False), True),
        (RecordingSource(bytes(MAX_HELD_BYTES + 1), reads_again=False), True),
    ],
    ids=["read again, index", "read again", "no index", "unknown size", "too large"],
)
def test_other_sources_are_not_held(source: RecordingSource, has_index: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """All other sources are read while they are decoded."""
    assert isinstance(open_as_file(source, has_index=has_index), SeekableSourceFile)
    assert source.starts == []
