"""Chunks: what one call of the API takes, and never more."""

import base64

import pytest
from loopback import serve
from recordings import silence

from transcriber.audio import identify
from transcriber.chunks import MAX_CHUNK_BYTES, cut
from transcriber.deadline import Deadline
from transcriber.encoded import read_base64
from transcriber.errors import AudioTooLargeError
from transcriber.settings import AllowedHost
from transcriber.sources.guard import Guard
from transcriber.sources.inline import InlineSource
from transcriber.sources.url import Downloads, UrlSource


def test_recording_is_one_chunk() -> None:
    """A recording that one call takes is one chunk with all of its bytes."""
    data = silence(2)
    source = InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)
    (chunk,) = cut(identify(source, max_seconds=60))
    assert (chunk.size_bytes, chunk.duration_seconds, chunk.container) == (len(data), 2.0, "wav")
    with chunk.open() as reader:
        assert reader.read_fully(10**6) == data


def test_too_long_for_one_call() -> None:
    """Audio that plays longer than a call takes is refused with both lengths."""
    data = silence(31 * 60, sample_rate_hz=8000)
    source = InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)
    with pytest.raises(AudioTooLargeError, match=r"31\.0 minutes; 30 are"):
        cut(identify(source, max_seconds=10**6))


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_for_one_call(announced: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """Audio with more bytes than a call takes is refused: by its announced size, or when it has sent so many."""
    data = silence(300, sample_rate_hz=48_000)
    assert len(data) > MAX_CHUNK_BYTES
    length = str(len(data)) if announced else ""
    with serve(lambda peer: peer.answer(data, Content_Length=length)) as server:
        downloads = Downloads(Guard([AllowedHost(name="127.0.0.1")]))
        with UrlSource(server.url, downloads=downloads, max_bytes=10**9, deadline=Deadline(30)) as source:
            audio = identify(source, max_seconds=10**6)
            with pytest.raises(AudioTooLargeError, match="25 MiB"):  # noqa: PT012 # either of the two, by the case
                (chunk,) = cut(audio)
                with chunk.open() as reader:
                    while reader.read(65_536):
                        pass
            assert source.bytes_read < MAX_CHUNK_BYTES + 10**6
