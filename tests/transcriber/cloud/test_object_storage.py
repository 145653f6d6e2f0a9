"""Object storage: read by version, written on conditions, listed in order, each failure an error of ours."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.loopback import Conversation, Peer, serve
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY

from bench_suite.bucket_server import keys_of, page
from transcriber.cloud.object_storage import BLOCK_BYTES, MAX_KEY_BYTES, ObjectStorage, StoredObject
from transcriber.deadline import Deadline
from transcriber.errors import (
    RequestError,
    SettingsError,
    SourceChangedError,
    SourceFailedError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
    TranscriberError,
)
from transcriber.settings import Account, Settings
from transcriber.sources.object import FIRST_BYTES, MAX_RESUMPTIONS, ObjectSource

AUDIO = bytes(range(256)) * 2_000
ODD_KEYS = ["a b+c.mp3", "a//b.mp3", "./c.mp3", "d/../e.mp3", "é%20.mp3", "f?g#&=.mp3", "folder/"]


def storage_at(url: str) -> ObjectStorage:
    return ObjectStorage(url, REGION, Account(ACCESS_KEY, SECRET_KEY))


@pytest.fixture
def storage(server: str, s3: Any) -> ObjectStorage:  # noqa: ARG001 # empties the bucket
    return storage_at(server)


def listing_at(url: str) -> ObjectStorage:
    settings = Settings(api_key="key", storage=Account(ACCESS_KEY, SECRET_KEY), storage_url=url, storage_region=REGION)
    return ObjectStorage.from_settings(settings)


def head(storage: ObjectStorage, key: str) -> StoredObject:
    found = storage.head(BUCKET, key)
    assert found is not None
    return found


def source(storage: ObjectStorage, key: str = "a.mp3", *, seconds: float = 10) -> ObjectSource:
    return ObjectSource(storage, BUCKET, head(storage, key), max_bytes=10**7, deadline=Deadline(seconds))


def assert_signed_as_by_botocore(url: str, request_bytes: bytes) -> None:
    head = request_bytes.decode().split("\r\n")
    sent = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    headers = {name: sent[name] for name in ("x-amz-date", "x-amz-content-sha256")}
    request = AWSRequest("GET", url + head[0].split(" ")[1], headers=headers)
    request.context.update(timestamp=sent["x-amz-date"], payload_signing_enabled=True)
    signer = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert sent["authorization"].endswith(f"Signature={signature}")


@pytest.mark.parametrize("key", ["a/talk.mp3", "é + 100%.mp3", "a//b~c.mp3"])
@pytest.mark.parametrize("base", ["https://s3.fr-par.scw.cloud", "http://127.0.0.1:9000/base"])
def test_an_address_for_a_put_is_signed_as_by_botocore(key: str, base: str) -> None:
    """The address of an upload has the signature of the stock signer, over the same headers and no others."""
    headers = {"Content-Type": "audio/mpeg", "Content-Length": "123", "If-None-Match": "*"}
    url = storage_at(base).presigned_put(BUCKET, key, headers, expires_seconds=600)
    address, _, query = url.partition("?")
    given = dict(parse_qsl(query))
    assert (given["X-Amz-Expires"], given["X-Amz-SignedHeaders"]) == (
        "600",
        "content-length;content-type;host;if-none-match",
    )
    request = AWSRequest("PUT", address, headers=headers)
    signer = S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION, expires=600)
    request.context["timestamp"] = given["X-Amz-Date"]
    signer._modify_request_before_signing(request)
    theirs = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert urlsplit(request.url).query == query.partition("&X-Amz-Signature=")[0]
    assert given["X-Amz-Signature"] == theirs


def test_writes_are_conditional(storage: ObjectStorage) -> None:
    """An object is created once, replaced only as the version that was seen, and carries its metadata."""
    etag = storage.create(BUCKET, "a", b"1", {"Content-Type": "text/plain", "audio-etag": "v"})
    assert etag
    assert storage.create(BUCKET, "a", b"2", {}) is None
    assert storage.replace(BUCKET, "a", b"3", {}, etag="another") is None
    assert storage.replace(BUCKET, "b", b"3", {}, etag=etag) is None
    found = head(storage, "a")
    assert (found.etag, found.size_bytes, found.metadata["audio-etag"]) == (etag, 1, "v")
    assert storage.replace(BUCKET, "a", b"4", {}, etag=etag)
    assert storage.get(BUCKET, "a") == b"4"
    storage.delete(BUCKET, "a")
    storage.delete(BUCKET, "a")
    assert storage.head(BUCKET, "a") is None


def test_audio_is_read_like_any_other(storage: ObjectStorage, s3: Any) -> None:
    """An object is read from its start or its middle, as often as needed, and its size is known before."""
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=AUDIO)
    with source(storage) as audio:
        assert (audio.size_bytes, audio.kind) == (len(AUDIO), "storage")
        assert audio.peek(4) == AUDIO[:4]
        for _ in range(2):
            with audio.open() as reader:
                assert reader.read_fully(len(AUDIO) + 1) == AUDIO
        with audio._connect(300_000) as reader:
            assert reader.read_fully(len(AUDIO)) == AUDIO[300_000:]
        with audio._connect(len(AUDIO)) as reader:
            assert reader.read(1) == b""


def test_empty_object(storage: ObjectStorage, s3: Any) -> None:
    """An object with nothing in it is read as nothing."""
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=b"")
    with source(storage) as audio, audio.open() as reader:
        assert reader.read(1) == b""


def test_only_one_version_is_read(storage: ObjectStorage, s3: Any) -> None:
    """New audio under the key is not read in the old one's place."""
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=AUDIO)
    with source(storage) as audio:
        s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=AUDIO[1:])
        with pytest.raises(SourceChangedError):
            audio.peek(4)


def test_time_limit_ends_a_reading(storage: ObjectStorage, s3: Any) -> None:
    """No block is read when the time is over."""
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=AUDIO)
    with source(storage, seconds=0) as audio, pytest.raises(SourceTimeoutError, match="TIME_LIMIT"):
        audio.peek(4)


class Breaking:
    """A storage whose transfers break off after a block."""

    def __init__(self, breaks: int) -> None:
        self.starts: list[int] = []
        self._breaks = breaks

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        assert end is None
        assert (bucket, key, etag) == (BUCKET, "a.mp3", "v")
        self.starts.append(start)
        for position in range(start, len(AUDIO), BLOCK_BYTES):
            yield AUDIO[position : position + BLOCK_BYTES]
            if len(self.starts) <= self._breaks:
                raise SourceFailedError("broke off")


@pytest.mark.parametrize("breaks", [1, MAX_RESUMPTIONS, MAX_RESUMPTIONS + 1])
def test_transfer_that_breaks_off_is_resumed(breaks: int, storage: ObjectStorage, s3: Any) -> None:
    """A reading goes on with the byte after the last one, and gives up when that happens too often."""
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=AUDIO)
    stored = StoredObject("a.mp3", "v", len(AUDIO), head(storage, "a.mp3").modified_at)
    breaking = Breaking(breaks)
    with (
        ObjectSource(breaking, BUCKET, stored, max_bytes=10**7, deadline=Deadline(10)) as audio,
        audio.open() as reader,
    ):
        if breaks > MAX_RESUMPTIONS:
            with pytest.raises(SourceFailedError):
                reader.read_fully(len(AUDIO))
        else:
            assert reader.read_fully(len(AUDIO)) == AUDIO
            assert breaking.starts == [BLOCK_BYTES * number for number in range(breaks + 1)]


def test_keys_of_all_kinds(storage: ObjectStorage, s3: Any) -> None:
    """Every key is listed, in order, and each is read as itself."""
    for key in ODD_KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    (page,) = storage.pages(BUCKET, deadline=Deadline(10))
    assert [stored.key for stored in page] == sorted(ODD_KEYS)
    for key in ("a b+c.mp3", "é%20.mp3", "f?g#&=.mp3", "folder/"):
        assert storage.get(BUCKET, key) == key.encode()
        assert head(storage, key).etag == next(stored.etag for stored in page if stored.key == key)


RAW_KEYS = {
    "in//a.wav": "in//a.wav",
    "/d.wav": "/d.wav",
    "in/./b.wav": "in/./b.wav",
    "in/../c.wav": "in/../c.wav",
    "x.wav/": "x.wav/",
    "a\x01\n\x7f.wav": "a%01%0A%7F.wav",
    "?#%+&= ;": "%3F%23%25%2B%26%3D%20%3B",
    "\U0001f600": "%F0%9F%98%80",
    "k" * MAX_KEY_BYTES: "k" * MAX_KEY_BYTES,
}


@pytest.mark.parametrize("key", RAW_KEYS, ids=range(len(RAW_KEYS)))
def test_keys_are_sent_as_they_are(key: str) -> None:
    """Whatever a key holds, the path on the wire names it alone, and the signature is the one that botocore makes."""
    with serve(lambda peer: peer.answer(b"words")) as server:
        assert storage_at(server.url).get(BUCKET, key) == b"words"
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == f"GET /{BUCKET}/{RAW_KEYS[key]} HTTP/1.1"
    assert_signed_as_by_botocore(server.url, server.requests[0])


@pytest.mark.parametrize("key", ["", "k" * (MAX_KEY_BYTES + 1), "\udc80"], ids=["empty", "long", "surrogate"])
def test_what_is_no_key_is_refused(key: str) -> None:
    """A text that no object can have as its key is refused before anything is sent."""
    with serve(lambda peer: peer.answer()) as server:
        for attempt in (storage_at(server.url).head, storage_at(server.url).get, storage_at(server.url).delete):
            with pytest.raises(RequestError, match="bytes"):
                attempt(BUCKET, key)
    assert server.requests == []


def test_metadata_holds_any_text(storage: ObjectStorage) -> None:
    """Metadata comes back as it was written, whatever is in it."""
    metadata = {"words": " é  \n%20+\U0001f600 ", "empty": "", "content-type": "text/plain"}
    assert storage.put(BUCKET, "a", b"1", metadata)
    found = head(storage, "a").metadata
    assert {name: found.get(name, "") for name in metadata} == metadata


def test_threads_share_a_storage(storage: ObjectStorage) -> None:
    """Several threads write and read at once, each its own object."""

    def work(number: int) -> bytes:
        assert storage.create(BUCKET, f"part {number}", bytes([number]) * 1000, {})
        return storage.get(BUCKET, f"part {number}")

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(32))) == [bytes([number]) * 1000 for number in range(32)]


def drip_head(peer: Peer) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200:
        peer.send(bytes([byte]))
        if peer.stopped.wait(0.2):
            return


def drip_body(peer: Peer) -> None:
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nETag: "v"\r\n\r\n')
    while not peer.stopped.wait(0.2):
        peer.send(b"x")


@pytest.mark.parametrize("conversation", [drip_head, drip_body, Peer.wait], ids=["head", "body", "silence"])
@pytest.mark.parametrize(
    "call",
    [
        lambda storage: storage.get(BUCKET, "a"),
        lambda storage: b"".join(storage.read(BUCKET, "a", etag="v")),
        lambda storage: list(storage.pages(BUCKET)),
        lambda storage: storage.create(BUCKET, "a", b"1", {}),
    ],
    ids=["get", "read", "list", "create"],
)
def test_storage_that_drips_ends_by_the_deadline(
    conversation: Conversation, call: Callable[[ObjectStorage], object]
) -> None:
    """A storage that sends a byte now and then, or nothing, ends when the time does."""
    began = time.monotonic()
    with serve(conversation) as server, pytest.raises(SourceTimeoutError, match="TIME_LIMIT"):
        call(storage_at(server.url).within(Deadline(1)))
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary"])
def test_bucket_of_another_region_is_a_wrong_setting(status: str) -> None:
    """A redirect to another region names the settings to correct."""
    with serve(lambda peer: peer.answer(status=status)) as server:
        for call in (lambda storage: storage.head(BUCKET, "a"), lambda storage: list(storage.pages(BUCKET))):
            with pytest.raises(SettingsError, match="S3_ENDPOINT and S3_REGION"):
                call(storage_at(server.url))


def test_listing_with_odd_fields_is_read() -> None:
    """Fields that are missing or odd make no listing fail, and a page without a token is followed by its last key."""
    pages = iter(
        [
            b"<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a+b</Key></Contents><Contents/></ListBucketResult>",
            b"<ListBucketResult><Contents><Key>c</Key><LastModified>soon</LastModified></Contents></ListBucketResult>",
        ]
    )
    with serve(lambda peer: peer.answer(next(pages))) as server:
        found = [stored for page in storage_at(server.url).pages(BUCKET) for stored in page]
    assert [(stored.key, stored.size_bytes, stored.modified_at.year) for stored in found] == [
        ("a+b", 0, 1970),
        ("c", 0, 1970),
    ]
    assert b"start-after=a%2Bb" in server.requests[1]


def test_conditional_write_whose_answer_was_lost() -> None:
    """A write that is repeated after its answer was lost finds an object, and says so."""
    seen: list[str] = []

    def lose_the_first_answer(peer: Peer) -> None:
        seen.append(peer.path)
        if len(seen) == 1:
            peer.reset()
        else:
            peer.answer(status="412 X")

    with serve(lose_the_first_answer) as server:
        assert storage_at(server.url).create(BUCKET, "a", b"1", {}) is None
    assert len(server.requests) == 2


def test_listing_goes_on_page_by_page() -> None:
    """A listing of more than a page is whole, and each request is signed."""
    keys = keys_of(2_005)
    with serve(lambda peer: peer.answer(page(keys, peer.path))) as server:
        pages = list(listing_at(server.url).pages(BUCKET, "in/", deadline=Deadline(60)))
    assert [len(page) for page in pages] == [1000, 1000, 5]
    assert [stored.key for page in pages for stored in page] == keys[:2_005]
    assert all(f"{ACCESS_KEY}/".encode() in request for request in server.requests)


def test_listing_begins_after_a_key(server: str, s3: Any) -> None:
    """A listing keeps to a prefix that is no folder, and begins after a key."""
    for name in ("in/10", "in/11 é+", "in/12", "in/2"):
        s3.put_object(Bucket=BUCKET, Key=name, Body=b"")
    (page,) = listing_at(server).pages(BUCKET, "in/1", after="in/10", deadline=Deadline(10))
    assert [stored.key for stored in page] == ["in/11 é+", "in/12"]


DENIED = b"<Error><Code>AccessDenied</Code><Message>a-secret-key</Message></Error>"


@pytest.mark.parametrize(
    ("conversation", "error"),
    [
        (lambda peer: peer.answer(DENIED, status="403 Forbidden"), SourceRefusedError),
        (lambda peer: peer.answer(DENIED, status="404 Not Found"), SourceNotFoundError),
        (lambda peer: peer.answer(DENIED, status="400 Bad Request"), SourceFailedError),
        (lambda peer: peer.answer(DENIED, status="500 Internal"), SourceFailedError),
        (Peer.reset, SourceFailedError),
    ],
    ids=["refused", "missing", "wrong", "failing", "resetting"],
)
def test_storage_on_a_bad_day(conversation: Conversation, error: type[TranscriberError]) -> None:
    """Each failure is an error of ours, whose text holds nothing of what the storage said, nor its address."""
    with serve(conversation) as bad:
        for attempt in (
            lambda: storage_at(bad.url).get(BUCKET, "a.mp3"),
            lambda: list(listing_at(bad.url).pages(BUCKET, deadline=Deadline(5))),
        ):
            with pytest.raises(error) as caught:
                attempt()
            assert SECRET_KEY not in caught.value.message
            assert "127.0.0.1" not in caught.value.message


def test_listing_that_is_none() -> None:
    """An answer that is no list of objects is a failure of the storage."""
    with serve(lambda peer: peer.answer(b"<html")) as bad, pytest.raises(SourceFailedError):
        list(listing_at(bad.url).pages(BUCKET, deadline=Deadline(5)))


def test_listing_is_signed_as_by_the_stock_client() -> None:
    """The signature of a listing, with all kinds of characters in its prefix, is the one that botocore makes."""
    prefix = "in é+&a=b;c ~/x%20(1)'*!"
    with serve(lambda peer: peer.answer(page([], peer.path))) as server:
        list(listing_at(server.url).pages(BUCKET, prefix, deadline=Deadline(5)))
    assert_signed_as_by_botocore(server.url, server.requests[0])


class RangesStorage:
    """One object, and the parts of it that were requested."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.parts: list[tuple[int, int | None]] = []

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:  # noqa: ARG002 # there is one object
        self.parts.append((start, end))
        yield self.data[start:end]


@pytest.mark.parametrize("size_bytes", [1000, FIRST_BYTES, 3 * FIRST_BYTES])
def test_doubtful_object_is_first_looked_at(size_bytes: int) -> None:
    """Of an object that may be no audio, the first bytes are one request; the rest is another, if it is wanted."""
    storage = RangesStorage(random.Random(1).randbytes(size_bytes))  # noqa: S311 # any bytes
    stored = StoredObject("call", "v1", size_bytes, datetime.now(UTC))
    with ObjectSource(storage, BUCKET, stored, max_bytes=10**7, deadline=Deadline(10), is_doubtful=True) as doubtful:
        assert doubtful.peek(1000) == storage.data[:1000]
        assert storage.parts == [(0, FIRST_BYTES)]
        with doubtful.open() as reader:
            assert reader.read_fully(size_bytes + 1) == storage.data
    assert storage.parts == [(0, FIRST_BYTES), *([(FIRST_BYTES, None)] if size_bytes > FIRST_BYTES else [])]


def test_first_bytes_are_a_range(storage: ObjectStorage, s3: Any) -> None:
    """A part of an object is requested as a range, from its start as well."""
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=AUDIO)
    etag = head(storage, "a.mp3").etag
    assert b"".join(storage.read(BUCKET, "a.mp3", etag=etag, end=1000)) == AUDIO[:1000]
    assert b"".join(storage.read(BUCKET, "a.mp3", etag=etag, start=500, end=1000)) == AUDIO[500:1000]
