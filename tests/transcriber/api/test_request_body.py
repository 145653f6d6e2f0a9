"""Bodies of calls: what the client library reads of them, and whether all was read."""

import io
import os

import pytest

from transcriber.api.request_body import BLOCK_BYTES, FilePart, FormBody, StreamedBody
from transcriber.chunks.chunk import BytesPayload


def test_stream_is_whole_when_all_was_read() -> None:
    """A stream has its pieces in order, states its length and type, and is whole only after the last one."""
    stream = StreamedBody("application/json", 4, iter([b"12", b"34"]), close=lambda: None)
    assert stream.headers == {"Content-Type": "application/json", "Content-Length": "4"}
    pieces = iter(stream)
    assert (next(pieces), next(pieces), stream.is_whole) == (b"12", b"34", False)
    assert next(pieces, None) is None
    assert stream.is_whole


def test_upload_is_read_in_large_blocks() -> None:
    """Whatever size the client requests, it reads large blocks, a shorter last one, and then the end."""
    data = os.urandom(BLOCK_BYTES + 10)
    upload = FilePart(BytesPayload([data]).open(), len(data))
    assert (upload.read(1), upload.is_whole) == (data[:BLOCK_BYTES], False)
    assert (upload.read(1), upload.is_whole) == (data[BLOCK_BYTES:], False)
    assert (upload.read(1), upload.is_whole) == (b"", True)


def test_length_by_seeking_before_the_first_byte() -> None:
    """The client finds the length by seeking to the end and back; once it reads, rewinding is an error."""
    upload = FilePart(BytesPayload([b"12", b"34"]).open(), 4)
    assert (upload.tell(), upload.seek(0, io.SEEK_END), upload.seek(0)) == (0, 4, 0)
    assert upload.read(10) == b"1234"
    with pytest.raises(io.UnsupportedOperation):
        upload.seek(0)


def test_form_is_whole_with_its_file() -> None:
    """A form is whole when its file is; closing it ends the reading of the file."""
    form = FormBody({"model": "m"}, "audio.wav", "audio/wav", FilePart(BytesPayload([b"12", b"34"]).open(), 4))
    form.file.read(10)
    assert not form.is_whole
    form.file.read(10)
    assert form.is_whole
    form.close()
    assert form.file.read(10) == b""
