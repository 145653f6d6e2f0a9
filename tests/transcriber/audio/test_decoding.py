"""Decoding: each kind of recording comes out whole, damage has a warning, and nothing but the source is touched."""

import base64
import re
import tracemalloc
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.damaged_files import OddFile, long_silence, no_recordings, overwritten, truncated
from support.encoding import encode, encode_tracks
from support.kinds import Kind, kinds
from support.loopback import Conversation, Loopback, Peer, serve

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples, sentence_samples, silence_samples, vocabulary
from transcriber.audio.decoding import Decoder
from transcriber.audio.identify import DecodedAudio, identify
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.errors import AudioTooLargeError, SourceTimeoutError, TranscriberError, UnsupportedAudioError
from transcriber.net.ssrf_guard import SsrfGuard
from transcriber.request.base64_text import read_base64
from transcriber.settings import AllowedHost
from transcriber.sources.base import Reader, Source
from transcriber.sources.inline import InlineSource
from transcriber.sources.url import Downloader, UrlSource

SAMPLES: Samples = np.concatenate([silence_samples(0.3), sentence_samples(vocabulary()[7::60]), silence_samples(0.3)])
SECONDS = len(SAMPLES) / SAMPLE_RATE_HZ


@cache
def whole(name: str) -> bytes:
    (kind,) = (kind for kind in kinds() if kind.name == name)
    return kind.make(SAMPLES)


def source_of(data: bytes) -> InlineSource:
    return InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)


def chunks_of(source: Source, *, max_seconds: float = 36_000, seconds: float = 60) -> Iterator[Chunk]:
    options = CutOptions(ChunkLimits(300), max_seconds, Deadline(seconds))
    return cut(identify(source, max_seconds=max_seconds), options)


def warnings_of(chunks: list[Chunk]) -> list[str]:
    return [warning for chunk in chunks for warning in chunk.warnings]


@pytest.mark.parametrize("kind", kinds(), ids=str)
def test_every_kind_is_cut_whole(kind: Kind) -> None:
    """With any container and codec, all of the sound is in chunks that the APIs take; only cut files have a warning."""
    chunks = list(chunks_of(source_of(kind.make(SAMPLES))))
    warnings = warnings_of(chunks)
    assert chunks[-1].span.end_seconds == pytest.approx(SECONDS, abs=0.2)
    assert {chunk.container.value for chunk in chunks} <= {"wav", "mp3"}
    if kind.is_exact:
        body = b"".join(
            chunk.payload.open().read_fully(10**8)[chunk.layout.data_start :] for chunk in chunks if chunk.layout
        )
        assert body[: 2 * len(SAMPLES)] == SAMPLES.astype("<i2").tobytes()
    assert [re.sub(r"\d+\.\d", "N", warning) for warning in warnings] == (
        ["The file is cut off: its header states N s, and N s are there."]
        if "shorter than it says" in kind.name
        else []
    )


@pytest.mark.parametrize("file", no_recordings(), ids=str)
def test_file_without_sound_is_refused(file: OddFile) -> None:
    """A file without sound is an error that names what it is, and never a chunk."""
    with pytest.raises(UnsupportedAudioError):
        list(chunks_of(source_of(file.data)))


@pytest.mark.parametrize("name", ["Ogg with Opus", "FLAC", "AAC (ADTS)", "WebM with Opus", "M4A, moov at the start"])
def test_truncated_file_gives_what_is_there(name: str) -> None:
    """Of a file that was cut in half, about half is there."""
    chunks = list(chunks_of(source_of(truncated(whole(name)))))
    assert 0.3 * SECONDS < chunks[-1].span.end_seconds < 0.75 * SECONDS


@pytest.mark.parametrize("name", ["FLAC", "WebM with Opus", "M4A, moov at the start"])
def test_damage_has_a_warning(name: str) -> None:
    """Where packets cannot be decoded there is silence, what follows keeps its time, and a warning names the place."""
    long = np.concatenate([sentence_samples(vocabulary()[3::9]), silence_samples(1)])
    (kind,) = (kind for kind in kinds() if kind.name == name)
    data = overwritten(kind.make(long), start=0.4, share=0.2, seed=3)
    chunks = list(chunks_of(source_of(data)))
    warnings = warnings_of(chunks)
    assert chunks[-1].span.end_seconds == pytest.approx(len(long) / SAMPLE_RATE_HZ, abs=1.5)
    assert any(re.match(r"The file is damaged between 0:\d\d and 0:\d\d;", w) for w in warnings)


@pytest.mark.parametrize("container", ["flac", "matroska"])
def test_bomb_ends_at_the_limit(container: str) -> None:
    """Hours of silence in kilobytes end at the limit, without the memory of what they would swell to."""
    data = long_silence(container, hours=3)
    tracemalloc.start()
    try:
        with pytest.raises(AudioTooLargeError):
            sum(1 for _ in chunks_of(source_of(data), max_seconds=1200))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20


def test_bomb_without_a_length_ends_at_the_limit() -> None:
    """A stream whose header states no length ends where it passes the limit, too."""
    data = encode(silence_samples(70), "webm", "libopus", rate_hz=48_000, bit_rate=6_000, options={"live": "1"})
    with pytest.raises(AudioTooLargeError, match="1 minute"):
        list(chunks_of(source_of(data), max_seconds=60))


def test_decoding_keeps_to_the_deadline() -> None:
    """Decoding ends when the time is up."""
    audio = identify(source_of(whole("FLAC")), max_seconds=3600)
    with pytest.raises(SourceTimeoutError, match="decoded within"):
        list(cut(audio, CutOptions(ChunkLimits(300), 3600, Deadline(0))))


DEMUXERS = ("mov", "ogg", "flac", "matroska", "aac", "amr", "aiff", "avi", "wav", "w64", "caf", "au", "asf", "flv")


def playlists(url: str) -> dict[str, bytes]:
    """Files from which a player would open another address."""
    return {
        "HLS": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n".encode(),
        "concat": f"ffconcat version 1.0\nfile '{url}'\n".encode(),
        "DASH": f"<?xml version='1.0'?><MPD><BaseURL>{url}</BaseURL></MPD>".encode(),
        "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "PLS": f"[playlist]\nFile1={url}\nNumberOfEntries=1\n".encode(),
    }


@pytest.mark.parametrize("name", playlists(""))
@pytest.mark.parametrize("beginning", [b"", b"ID3\x04\x00\x00\x00\x00\x00\x00"])
def test_nothing_further_is_opened(name: str, beginning: bytes) -> None:
    """Playlists and scripts are refused, and the addresses in them see no request."""
    with serve(lambda peer: peer.answer(whole("FLAC"))) as server:
        with pytest.raises(UnsupportedAudioError):
            list(chunks_of(source_of(beginning + playlists(server.url)[name])))
        assert not server.requests


@pytest.mark.parametrize("demuxer", DEMUXERS)
def test_no_demuxer_opens_the_address_in_a_playlist(demuxer: str) -> None:
    """Even a decoder that is given a playlist opens no address in it."""
    with serve(lambda peer: peer.answer(whole("FLAC"))) as server:
        for data in playlists(server.url).values():
            with pytest.raises(UnsupportedAudioError):
                Decoder(source_of(data), demuxer=demuxer, name="a playlist")
        assert not server.requests


def url_source(server: Loopback) -> UrlSource:
    downloader = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]), sleep=lambda _: None)
    return UrlSource(f"{server.url}/talk", downloader=downloader, max_bytes=10**9, deadline=Deadline(30))


def with_ranges(data: bytes) -> Conversation:
    def conversation(peer: Peer) -> None:
        found = re.search(rb"(?i)\r\nRange: bytes=(\d+)-\r\n", peer.request)
        if found is None:
            peer.answer(data, ETag='"v1"')
            return
        start = int(found[1])
        part = f"bytes {start}-{len(data) - 1}/{len(data)}"
        peer.answer(data[start:], status="206 Partial Content", ETag='"v1"', Content_Range=part)

    return conversation


@pytest.mark.parametrize("accepts_ranges", [True, False])
def test_index_at_the_end(accepts_ranges: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """An index at the end is requested by its position, or else skipped to, where the server names the version."""
    data = whole("M4A, moov at the end")
    conversation = with_ranges(data) if accepts_ranges else lambda peer: peer.answer(data, ETag='"v1"')
    with serve(conversation) as server, url_source(server) as source:
        chunks = list(chunks_of(source))
    assert chunks[-1].span.end_seconds == pytest.approx(SECONDS, abs=0.2)


def test_index_at_the_end_of_a_source_that_can_be_read_once() -> None:
    """A small source that cannot be read again is held; for another, the error gives advice."""
    data = whole("M4A, moov at the end")
    with serve(lambda peer: peer.answer(data)) as server, url_source(server) as source:
        assert list(chunks_of(source))[-1].span.end_seconds == pytest.approx(SECONDS, abs=0.2)
        assert len(server.requests) == 1
    with (
        serve(lambda peer: peer.answer(data, Content_Length="")) as server,  # it may be of any size
        url_source(server) as source,
        pytest.raises(UnsupportedAudioError, match="faststart"),
    ):
        list(chunks_of(source))
    data = whole("M4A, moov at the start")
    with serve(lambda peer: peer.answer(data, Content_Length="")) as server, url_source(server) as source:
        chunks = list(chunks_of(source))
        assert chunks[-1].span.end_seconds == pytest.approx(SECONDS, abs=0.2)
        assert len(server.requests) == 1


class OnceSource(InlineSource):
    """A source that can be read only once; it counts its readings."""

    readings = 0

    @property
    def can_be_read_again(self) -> bool:
        return False

    def _connect(self, start: int) -> Reader:
        assert start == 0
        self.readings += 1
        return super()._connect(start)


@pytest.mark.parametrize("kind", kinds(), ids=str)
def test_source_that_can_be_read_once_is_read_in_order(kind: Kind) -> None:
    """Each kind is decoded from a source that can be read only once as from another one, in one reading."""
    data = kind.make(SAMPLES)
    source = OnceSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)
    chunks, expected = list(chunks_of(source)), list(chunks_of(source_of(data)))
    assert chunks[-1].span.end_seconds == pytest.approx(expected[-1].span.end_seconds, abs=0.2)
    assert source.readings == 1


def test_length_is_known_before_decoding() -> None:
    """The length that a file states is known before anything is decoded."""
    audio = identify(source_of(whole("Ogg with Opus")), max_seconds=3600)
    assert isinstance(audio, DecodedAudio)
    assert audio.duration_seconds == pytest.approx(SECONDS, abs=0.2)
    audio.decoder.close()
    with pytest.raises(AudioTooLargeError):
        identify(source_of(whole("Ogg with Opus")), max_seconds=SECONDS / 2)


@pytest.mark.parametrize("name", ["WAV s16 48 kHz", "WAV s16 44.1 kHz", "WAV stereo"])
def test_plain_wav_of_too_many_bytes_is_decoded(name: str) -> None:
    """A WAV file whose chunk would be over the limit of a call is sent at the models' rate, mono and whole."""
    options = CutOptions(ChunkLimits(300, max_bytes=100_000), 36_000, Deadline(60), keep_loudness=True)
    chunks = list(cut(identify(source_of(whole(name)), max_seconds=36_000), options))
    shapes = [(chunk.layout.sample_rate_hz, chunk.layout.channels) for chunk in chunks if chunk.layout]
    assert set(shapes) == {(SAMPLE_RATE_HZ, 1)}
    assert chunks[-1].span.end_seconds == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize("name", ["AAC (ADTS)", "AMR"])
def test_length_is_not_estimated_from_the_first_frames(name: str) -> None:
    """The length of frames without a header is unknown; silence in few bytes makes no file too long or cut off."""
    (kind,) = (kind for kind in kinds() if kind.name == name)
    noise = np.random.default_rng(1).normal(0, 6000, 3 * SAMPLE_RATE_HZ).astype(np.int16)
    for parts in ((noise, silence_samples(30)), (silence_samples(30), noise)):
        chunks = list(chunks_of(source_of(kind.make(np.concatenate(parts))), max_seconds=40))
        assert chunks[-1].span.end_seconds == pytest.approx(33, abs=0.3)
        assert warnings_of(chunks) == []


@pytest.mark.parametrize("name", ["WAV s24", "WAV mu-law 8 kHz"])
def test_second_file_after_the_first_is_transcribed(name: str) -> None:
    """Of two WAV files in one both are transcribed, one after the other, whatever their codec."""
    chunks = list(chunks_of(source_of(2 * whole(name))))
    assert chunks[-1].span.end_seconds == pytest.approx(2 * SECONDS, abs=0.2)
    assert warnings_of(chunks) == []


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_further_tracks_have_a_warning(container: str) -> None:
    """Of a file with a track for each speaker one is transcribed, and a warning names it and the others."""
    chunks = list(chunks_of(source_of(encode_tracks([SAMPLES, SAMPLES], container, "aac"))))
    assert chunks[-1].span.end_seconds == pytest.approx(SECONDS, abs=0.2)
    (warning,) = warnings_of(chunks)
    assert "2 audio tracks; only track 0 is transcribed, and track 1 is not" in warning


BEGINNINGS = ("", *(kind.name for kind in kinds() if "video" not in kind.name))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(BEGINNINGS), st.integers(4, 2000), st.binary(max_size=4000))
def test_any_bytes_end_in_chunks_or_a_known_error(name: str, size: int, rest: bytes) -> None:
    """Any bytes after the beginning of any kind end in chunks of some length, or in an error with an answer."""
    beginning = whole(name)[:size] if name else b""
    try:
        chunks = list(chunks_of(source_of(beginning + rest + b"!"), max_seconds=600))
    except TranscriberError:
        return
    assert 0 < chunks[-1].span.end_seconds <= 600
