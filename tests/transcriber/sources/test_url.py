"""Audio at an address: fetched as it is read, again if need be, and never in part."""

import gzip
import re
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
import trustme
from support.loopback import Conversation, Loopback, Peer, serve

from transcriber.deadline import Deadline
from transcriber.errors import (
    AudioTooLargeError,
    RequestError,
    SourceChangedError,
    SourceError,
    SourceFailedError,
    SourceLostError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
)
from transcriber.net.ssrf_guard import SsrfGuard
from transcriber.settings import AllowedHost
from transcriber.sources.url import CONNECT_ATTEMPTS, MAX_RESUMES, Downloader, UrlSource
from transcriber.sources.url_check import check_url

AUDIO = bytes(range(256)) * 1000


def source(server: Loopback, *, seconds: float = 5, max_bytes: int = 10**7, path: str = "/a.mp3") -> UrlSource:
    downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]), sleep=lambda _: None)
    return UrlSource(server.url + path, downloader=downloads, max_bytes=max_bytes, deadline=Deadline(seconds))


def read_all(url_source: UrlSource) -> bytes:
    with url_source.open() as reader:
        return reader.read_fully(10**8)


def test_reads_in_order_and_knows_the_size() -> None:
    """The bytes come as the server sends them, and the size that it announces is known with the first of them."""
    with serve(lambda peer: peer.answer(AUDIO)) as server, source(server) as audio:
        assert audio.peek(4) == AUDIO[:4]
        assert audio.size_bytes == len(AUDIO)
        assert read_all(audio) == AUDIO
        assert b"Accept-Encoding: identity" in server.requests[0]


@pytest.mark.parametrize("end", ["chunked", "close"])
def test_size_that_is_not_stated_is_known_at_the_end(end: str) -> None:
    """Without a length the audio ends with its last chunk, or with the connection."""

    def conversation(peer: Peer) -> None:
        if end == "close":
            peer.answer(AUDIO, Content_Length="")
        else:
            peer.answer(b"%x\r\n%s\r\n0\r\n\r\n" % (len(AUDIO), AUDIO), Content_Length="", Transfer_Encoding="chunked")

    with serve(conversation) as server, source(server) as audio:
        assert audio.peek(4) == AUDIO[:4]
        assert audio.size_bytes is None
        assert read_all(audio) == AUDIO
        assert audio.size_bytes == len(AUDIO)


def test_compressed_audio_is_refused() -> None:
    """Compressed audio, which was not requested and might expand without end, is refused."""
    with (
        serve(lambda peer: peer.answer(gzip.compress(AUDIO), Content_Encoding="gzip")) as server,
        source(server) as audio,
        pytest.raises(SourceRefusedError, match="gzip"),
    ):
        audio.peek(1)


@pytest.mark.parametrize("validator", [{"ETag": '"v1"'}, {"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}])
def test_versioned_audio_is_downloaded_again(validator: dict[str, str]) -> None:
    """Where the server names the version, a second reading is a second download, and nothing is held."""
    with serve(lambda peer: peer.answer(AUDIO, **validator)) as server, source(server) as audio:
        assert read_all(audio) == read_all(audio) == AUDIO
        assert len(server.requests) == 2


def test_audio_without_a_version_is_read_once() -> None:
    """Where nothing distinguishes versions, no second reading is begun, so that none mixes two."""
    with serve(lambda peer: peer.answer(AUDIO)) as server, source(server) as audio:
        assert read_all(audio) == AUDIO
        assert not audio.can_be_read_again
        with pytest.raises(SourceLostError):
            read_all(audio)
        assert len(server.requests) == 1


def test_another_version_is_an_error() -> None:
    """When the audio changes between two readings, the second one is refused."""
    versions = iter(['"v1"', '"v2"'])
    with serve(lambda peer: peer.answer(AUDIO, ETag=next(versions))) as server, source(server) as audio:
        read_all(audio)
        with pytest.raises(SourceChangedError):
            read_all(audio)


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [
        ("404 Not Found", SourceNotFoundError, 1),
        ("410 Gone", SourceNotFoundError, 1),
        ("401 Unauthorized", SourceRefusedError, 1),
        ("403 Forbidden", SourceRefusedError, 1),
        ("400 Bad Request", SourceRefusedError, 1),
        ("204 No Content", SourceRefusedError, 1),
        ("206 Partial Content", SourceRefusedError, 1),
        ("429 Too Many Requests", SourceFailedError, CONNECT_ATTEMPTS),
        ("500 Internal Server Error", SourceFailedError, CONNECT_ATTEMPTS),
        ("503 Service Unavailable", SourceFailedError, CONNECT_ATTEMPTS),
    ],
)
def test_answers_of_the_server(status: str, error: type[SourceError], requests: int) -> None:
    """Each answer but 200 is its error, and those that waiting may cure are tried again."""
    with serve(lambda peer: peer.answer(status=status)) as server, source(server) as audio:
        with pytest.raises(error, match=status[:3]):
            audio.peek(1)
        assert len(server.requests) == requests


def cut(peer: Peer) -> None:
    peer.answer(AUDIO[:1000], Content_Length=str(len(AUDIO)))


def cut_chunks(peer: Peer) -> None:
    peer.answer(b"3e8\r\n" + AUDIO[:1000] + b"\r\n", Content_Length="", Transfer_Encoding="chunked")


def cut_chunk(peer: Peer) -> None:
    peer.answer(b"ffff\r\n" + AUDIO[:1000], Content_Length="", Transfer_Encoding="chunked")


def reset(peer: Peer) -> None:
    cut(peer)
    peer.reset()


@pytest.mark.parametrize("conversation", [cut, cut_chunks, cut_chunk, reset])
def test_broken_off_download_is_never_a_whole_one(conversation: Conversation) -> None:
    """A download that ends before its end is an error, however it ends."""
    with serve(conversation) as server, source(server) as audio, pytest.raises(SourceFailedError, match="broke off"):
        read_all(audio)


@pytest.mark.parametrize("conversation", [cut_chunks, cut_chunk, reset])
def test_broken_download_without_a_version_is_never_taken_up(conversation: Conversation) -> None:
    """Where a download that broke off cannot be read again, no later reading gives the part of it that came."""
    with serve(conversation) as server, source(server) as audio:
        with pytest.raises(SourceFailedError, match="broke off"):
            read_all(audio)
        for _ in range(2):
            with pytest.raises(SourceLostError):
                read_all(audio)
        assert len(server.requests) == 1


def range_start(peer: Peer) -> int:
    """Where the requested part begins; 0 for the whole."""
    found = re.search(rb"(?i)\r\nRange: bytes=(\d+)-\r\n", peer.request)
    return int(found[1]) if found else 0


def answer_part(peer: Peer, *, sent: int | None = None, etag: str = '"v1"') -> None:
    """The requested part, as a server with ranges sends it; only `sent` bytes of it, where that is given."""
    start = range_start(peer)
    rest = AUDIO[start:]
    fields = {"ETag": etag, "Content_Length": str(len(rest))}
    if start:
        fields["Content_Range"] = f"bytes {start}-{len(AUDIO) - 1}/{len(AUDIO)}"
    peer.answer(rest[:sent], status="206 Partial Content" if start else "200 OK", **fields)


def ignore_range(peer: Peer) -> None:
    peer.answer(AUDIO, ETag='"v1"')


@pytest.mark.parametrize("conversation", [answer_part, ignore_range])
@pytest.mark.parametrize("start", [1, 1000, len(AUDIO) - 1])
def test_reading_from_the_middle(conversation: Conversation, start: int) -> None:
    """The rest is requested by its range, and is the rest also where the server sends all."""
    with serve(conversation) as server, source(server) as audio:
        audio.peek(1)
        with audio.open(start) as reader:
            assert reader.read_fully(10**8) == AUDIO[start:]
        assert audio.size_bytes == len(AUDIO)
        assert f"Range: bytes={start}-\r\n".encode() in server.requests[1]


@pytest.mark.parametrize("stated", ["", "bytes 0-", "bytes 999-", "bytes 10000-", "items 1000-", "bytes */256000"])
def test_part_that_begins_elsewhere_is_refused(stated: str) -> None:
    """A part is read only if its header states the requested beginning."""

    def conversation(peer: Peer) -> None:
        if range_start(peer):
            peer.answer(AUDIO[1000:], status="206 Partial Content", ETag='"v1"', Content_Range=stated)
        else:
            peer.answer(AUDIO, ETag='"v1"')

    with serve(conversation) as server, source(server) as audio:
        audio.peek(1)
        with pytest.raises(SourceRefusedError, match="206"):
            audio.open(1000)


@pytest.mark.parametrize("accepts_ranges", [True, False])
def test_versioned_download_is_resumed_where_it_broke(accepts_ranges: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """A download that breaks off again and again is whole in the end, and requests no byte again that has arrived."""

    def conversation(peer: Peer) -> None:
        if accepts_ranges:
            answer_part(peer, sent=60_000)
        else:
            nth = len(server.requests)
            peer.answer(AUDIO[: nth * 60_000], ETag='"v1"', Content_Length=str(len(AUDIO)))

    with serve(conversation) as server, source(server) as audio:
        with audio.open() as reader:
            assert b"".join(iter(lambda: reader.read(1000), b"")) == AUDIO
        starts = [int(found[1]) for request in server.requests if (found := re.search(rb"bytes=(\d+)-", request))]
        assert starts == [60_000, 120_000, 180_000, 240_000]


def test_resumed_download_of_another_version_is_refused() -> None:
    """The rest of another version is never joined to the beginning of the first."""
    with serve(lambda peer: answer_part(peer, sent=60_000, etag=f'"v{range_start(peer)}"')) as server:
        with source(server) as audio, audio.open() as reader:
            reader.skip(60_000)
            with pytest.raises(SourceChangedError):
                reader.read(1000)
        assert len(server.requests) == 2


def test_server_that_always_breaks_off() -> None:
    """Resuming ends after a number of times, although each brings a little more."""
    with (
        serve(lambda peer: answer_part(peer, sent=1000)) as server,
        source(server) as audio,
        audio.open() as reader,
    ):
        for _ in range(MAX_RESUMES + 1):
            reader.skip(1000)
        with pytest.raises(SourceFailedError, match="broke off"):
            reader.read(1000)
    assert len(server.requests) == MAX_RESUMES + 1


def test_resuming_needs_progress() -> None:
    """A server that sends nothing more after another request is given up at once."""

    def conversation(peer: Peer) -> None:
        answer_part(peer, sent=0 if range_start(peer) else 60_000)

    with serve(conversation) as server, source(server) as audio, audio.open() as reader:
        assert reader.read_fully(60_000) == AUDIO[:60_000]
        with pytest.raises(SourceFailedError, match="broke off"):
            reader.read(1000)
    assert len(server.requests) == 2


@pytest.mark.parametrize("length", ["9" * 300, "9" * 5000, "-1", "1e3", "²", " "])
def test_length_that_is_none(length: str) -> None:
    """A length that no file has, or that is no number, ends in an error of the source or is not believed."""
    with (
        serve(lambda peer: peer.answer(AUDIO, Content_Length=length)) as server,
        source(server) as audio,
        suppress(SourceError, AudioTooLargeError),
    ):
        assert read_all(audio) == AUDIO


@pytest.mark.parametrize("target", ["http://[::1", "//[", "http://a\u2100b/", "http://\x00/", "\xff\xfe"])
def test_redirect_to_a_text_that_is_no_address(target: str) -> None:
    """A redirect to something that is no address is a fault of the source, not of the function."""
    with (
        serve(lambda peer: peer.send(f"HTTP/1.1 302 X\r\nLocation: {target}\r\n\r\n".encode())) as server,
        source(server) as audio,
        pytest.raises((RequestError, SourceError)),
    ):
        audio.peek(1)


def test_nothing_is_read_beyond_the_stated_length() -> None:
    """Bytes after the length that a server stated are not part of the audio."""
    with serve(lambda peer: peer.answer(AUDIO, Content_Length="1000")) as server, source(server) as audio:
        assert read_all(audio) == AUDIO[:1000]


def nonsense(peer: Peer) -> None:
    peer.send(b"SSH-2.0-OpenSSH_9.2\r\n")


def silent_close(peer: Peer) -> None:
    peer.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("conversation", [nonsense, silent_close, Peer.reset])
def test_server_without_http(conversation: Conversation) -> None:
    """A server that answers with something else, or with nothing, cannot be reached."""
    with serve(conversation) as server, source(server) as audio, pytest.raises(SourceFailedError, match="reached"):
        audio.peek(1)


@pytest.mark.parametrize("headers", [{"Content_Length": "5, 6"}, {"Content_Encoding": "aws-chunked"}])
def test_headers_of_careless_servers(headers: dict[str, str]) -> None:
    """A length that contradicts itself is the source's fault; a coding that changes no byte is none."""
    with serve(lambda peer: peer.answer(AUDIO, **headers)) as server, source(server) as audio:
        if "Content_Length" in headers:
            with pytest.raises(SourceFailedError):
                audio.peek(1)
        else:
            assert read_all(audio) == AUDIO


def test_redirect_without_an_address() -> None:
    """A redirect without an address is an answer that is not the audio."""
    with (
        serve(lambda peer: peer.answer(status="301 X")) as server,
        source(server) as audio,
        pytest.raises(SourceRefusedError, match="301"),
    ):
        audio.peek(1)
    assert len(server.requests) == 1


def test_address_without_a_server() -> None:
    """An address without a server cannot be reached."""
    with serve(Peer.answer) as server:
        pass
    with source(server) as audio, pytest.raises(SourceFailedError, match="reached"):
        audio.peek(1)


def stall(peer: Peer) -> None:
    cut(peer)
    peer.wait()


def drip(peer: Peer) -> None:
    peer.answer(AUDIO[:10], Content_Length=str(len(AUDIO)))
    while not peer.stopped.wait(0.05):
        peer.send(b"x")


def dripping(beginning: bytes, drop: bytes) -> Conversation:
    """A server that sends a beginning and then the same bytes without end."""

    def conversation(peer: Peer) -> None:
        peer.send(beginning)
        while not peer.stopped.wait(0.05):
            peer.send(drop)

    return conversation


@pytest.mark.parametrize(
    "conversation",
    [
        Peer.wait,
        stall,
        drip,
        dripping(b"", b"H"),
        dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        dripping(b"HTTP/1.1 302 X\r\nContent-Length: 100000\r\nLocation: /\r\n\r\n", b"x"),
    ],
    ids=["silent", "stall", "drip", "status", "header", "continue", "chunk-size", "trailers", "redirect"],
)
def test_slow_server_ends_with_the_time_limit(conversation: Conversation) -> None:
    """A server that sends nothing, stops in the middle, or drips bytes without end is given up when the time is up."""
    with serve(conversation) as server, source(server, seconds=0.6) as audio:
        started = time.monotonic()
        with pytest.raises((SourceTimeoutError, SourceFailedError, SourceRefusedError)):
            read_all(audio)
        assert time.monotonic() - started < 5  # it would go on without end


@pytest.mark.parametrize("is_stated", [True, False])
def test_size_limit_holds(is_stated: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """Audio over the limit is refused by its stated length, or else as soon as its bytes pass the limit."""
    length = str(len(AUDIO)) if is_stated else ""
    with (
        serve(lambda peer: peer.answer(AUDIO, Content_Length=length)) as server,
        source(server, max_bytes=100_000) as audio,
        pytest.raises(AudioTooLargeError, match=r"the limit is 0\.1 MB"),
    ):
        read_all(audio)
    if is_stated:
        assert audio.bytes_read == 0


def test_body_of_a_redirect_is_not_read() -> None:
    """A redirect's own body, however large, is left where it is."""
    sent = 0

    def conversation(peer: Peer) -> None:
        nonlocal sent
        if peer.path != "/a.mp3":
            peer.answer(AUDIO)
            return
        peer.answer(AUDIO, status="302 Found", Content_Length=str(10**9), Location="/there")
        while not peer.stopped.is_set() and sent < 10**8:
            peer.send(AUDIO)
            sent += len(AUDIO)

    with serve(conversation) as server, source(server) as audio:
        assert read_all(audio) == AUDIO
    assert sent < 10**7


def test_cookies_are_not_kept() -> None:
    """A cookie from one request is not sent with the next one, which may belong to another user."""
    downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]))
    with serve(lambda peer: peer.answer(AUDIO, Set_Cookie="who=me")) as server:
        for _ in range(2):
            with UrlSource(server.url, downloader=downloads, max_bytes=10**7, deadline=Deadline(5)) as audio:
                read_all(audio)
        assert b"cookie" not in server.requests[1].lower()


def test_connection_is_kept_between_requests() -> None:
    """Two downloads from one server, one after the other, go over one connection, also over TLS."""
    authority = trustme.CA()
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)

    def twice(peer: Peer) -> None:
        peer.answer(AUDIO, Connection="keep-alive")
        assert b"GET" in peer.connection.recv(65536)
        peer.answer(AUDIO)

    for tls in (None, server_tls):
        downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]), tls=lambda: client_tls)
        with serve(twice, tls=tls) as server:
            for _ in range(2):
                with UrlSource(server.url, downloader=downloads, max_bytes=10**7, deadline=Deadline(5)) as audio:
                    assert read_all(audio) == AUDIO
            assert len(server.requests) == 1


def test_dripping_server_over_tls() -> None:
    """The time limit holds over TLS, too."""
    authority = trustme.CA()
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]), tls=lambda: client_tls, sleep=lambda _: None)
    with (
        serve(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), tls=server_tls) as server,
        UrlSource(server.url, downloader=downloads, max_bytes=10**7, deadline=Deadline(0.6)) as audio,
        pytest.raises(SourceTimeoutError),
    ):
        audio.peek(1)


def test_closing_ends_the_download() -> None:
    """A reading that is closed early closes the connection, so that the server stops."""
    broken = threading.Event()

    def endless(peer: Peer) -> None:
        try:
            peer.answer(AUDIO, Content_Length=str(10**9), ETag='"v1"')
            while not peer.stopped.is_set():
                peer.send(AUDIO)
        except OSError:
            broken.set()

    with serve(endless) as server, source(server, max_bytes=10**10) as audio:
        with audio.open() as reader:
            reader.read(1000)
        assert broken.wait(5)


def test_certificate_must_be_the_servers() -> None:
    """Over TLS, an untrusted certificate is refused, and nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            for _ in range(CONNECT_ATTEMPTS):
                connection, _ = listener.accept()
                with pytest.raises(OSError):  # noqa: PT011 # the client's refusal has several forms
                    context.wrap_socket(connection, server_side=True).recv(1)

        threading.Thread(target=shake_hands, daemon=True).start()
        server = Loopback(listener.getsockname()[1])
        downloads = Downloader(SsrfGuard([AllowedHost(name="127.0.0.1")]), sleep=lambda _: None)
        url = server.url.replace("http:", "https:")
        with (
            UrlSource(url, downloader=downloads, max_bytes=10, deadline=Deadline(5)) as audio,
            pytest.raises(SourceFailedError, match="certificate"),
        ):
            audio.peek(1)


@pytest.mark.parametrize(
    "url", ["", "example.com/a.mp3", "http://", "http:/a", "http://a b/", "http://[::1", "x" * 5000]
)
def test_text_that_is_no_address(url: str) -> None:
    """A text that is no address is a bad request that names the field."""
    with pytest.raises((RequestError, SourceError)) as caught:
        check_url(url)
    assert (caught.value.status, caught.value.param) == (400, "url")
