"""Jobs of recordings at an address: copied to an object in parts, gone on with by ranges, then like any other."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.handling import HEARD, Handle, new_instance
from support.loopback import Loopback, Peer, serve
from support.object_storage import BUCKET, all_keys
from support.recordings import recording, silence
from support.triggering import Api, drain, post

MB = 1_000_000


def faint(seconds: int) -> bytes:
    """A WAV file that counts as silence, and is another one in each of its seconds."""
    silent = silence(seconds)
    header = silent[: silent.index(b"data") + 8]
    return header + b"".join((number % 7).to_bytes(2, "little") * 16_000 for number in range(seconds))


# Two parts and a half.
LONG = faint(640)


@pytest.fixture(autouse=True)
def place(environment: pytest.MonkeyPatch, queue_url: str, s3: Any) -> None:
    """A place for jobs, and a queue."""
    assert queue_url
    assert s3
    environment.setenv("OUTPUT_BUCKET", BUCKET)
    environment.setenv("TIME_LIMIT", "60")


@dataclass
class FileServer:
    """A server of one file: after how many bytes each next download breaks off, and whether it has ranges."""

    body: bytes
    breaks: list[int] = field(default_factory=list)
    version: str = '"one"'
    has_ranges: bool = True
    starts: list[int] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        found = re.search(rb"(?i)range: bytes=(\d+)-", peer.request)
        start = int(found[1]) if found else 0
        self.starts.append(start)
        headers = {"ETag": self.version} if self.version else {}
        if not self.has_ranges:
            start = 0
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        rest = self.body[start:]
        end = self.breaks.pop(0) if self.breaks else len(rest)
        if end == 0:
            peer.answer(status="503 X")
            return
        headers["Content-Length"] = str(len(rest))
        status = "206 X" if start else "200 OK"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        peer.send(f"HTTP/1.1 {status}\r\n{head}Connection: close\r\n\r\n".encode() + rest[:end])


@contextmanager
def served(files: FileServer) -> Iterator[Loopback]:
    with serve(files) as server:
        yield server


def created(handle: Handle, url: str) -> str:
    answer = handle(post({"url": url, "async": True}), {})
    assert answer["statusCode"] == 202, answer["body"]
    return str(answer["headers"]["Location"])


def look(handle: Handle, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(handle({"httpMethod": "GET", "path": path}, {})["body"])
    return found


def copied(s3: Any) -> bytes:
    (key,) = [key for key in all_keys(s3) if key.endswith("/recording")]
    body: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def test_short_recording(server: str, queue_url: str, s3: Any) -> None:
    """A recording at an address becomes an object, and its job is completed; the record names the address no more."""
    handle = new_instance()
    files = FileServer(recording("jfk.mp3"))
    with served(files) as web:
        path = created(handle, f"{web.url}/a.mp3")
        assert files.starts == []
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
    assert look(handle, path)["status"] == "completed"
    assert copied(s3) == files.body
    record = s3.get_object(Bucket=BUCKET, Key=f"transcripts/.work/jobs/{path.rpartition('/')[2]}/job.json")
    assert b"a.mp3" not in record["Body"].read()
    assert json.loads(handle({"httpMethod": "GET", "path": f"{path}/content"}, {})["body"])["text"] == HEARD


@pytest.mark.parametrize(
    ("has_ranges", "version", "starts"),
    [
        (True, '"one"', [0, 12 * MB, 8 * 2**20]),
        (False, '"one"', [0, 12 * MB, 8 * 2**20]),
        (True, "", [0, 0]),
    ],
)
def test_copy_goes_on_in_another_run(
    server: str, queue_url: str, s3: Any, *, has_ranges: bool, version: str, starts: list[int]
) -> None:
    """A copy that breaks off goes on after its last part, by a range, or by skipping; without a version, anew."""
    handle = new_instance()
    files = FileServer(LONG, breaks=[12 * MB, 0, 0, 0], version=version, has_ranges=has_ranges)
    with served(files) as web:
        path = created(handle, web.url)
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] >= 500  # so that the queue delivers it again
        found = look(handle, path)
        assert (found["status"], found["progress"]) == ("in_progress", None)
        files.breaks.clear()
        assert new_instance()(message, {})["statusCode"] == 200
    assert list(dict.fromkeys(files.starts)) == list(dict.fromkeys(starts))
    assert copied(s3) == LONG
    assert look(handle, path)["status"] == "completed"
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_recording_that_changes_between_two_runs(server: str, queue_url: str, s3: Any) -> None:
    """Where the server has another version by now, the copy begins anew, and is of that version alone."""
    handle = new_instance()
    files = FileServer(LONG, breaks=[12 * MB, 0, 0, 0])
    with served(files) as web:
        path = created(handle, web.url)
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] >= 500
        files.breaks.clear()
        files.body, files.version = faint(600), '"two"'
        assert handle(message, {})["statusCode"] == 200
    assert copied(s3) == files.body
    assert look(handle, path)["status"] == "completed"
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_time_that_runs_out(environment: pytest.MonkeyPatch, server: str, queue_url: str, s3: Any) -> None:
    """A copy that does not fit a request goes on with the next message at once, as often as it adds a part."""
    environment.setenv("TIME_LIMIT", "8")
    handle = new_instance()
    files = FileServer(LONG)

    def slowly(peer: Peer) -> None:
        found = re.search(rb"(?i)range: bytes=(\d+)-", peer.request)
        start = int(found[1]) if found else 0
        files.starts.append(start)
        head = f"Content-Range: bytes {start}-{len(LONG) - 1}/{len(LONG)}\r\n" if start else ""
        size = len(LONG) - start
        status = "206 X" if start else "200 OK"
        peer.send(f'HTTP/1.1 {status}\r\nETag: "a"\r\n{head}Content-Length: {size}\r\n\r\n'.encode())
        peer.send(LONG[start : start + 10 * MB])
        if size > 10 * MB:
            peer.wait()
        peer.send(LONG[start + 10 * MB :])

    with serve(slowly) as web:
        path = created(handle, web.url)
        for _ in range(10):
            messages = drain(server, queue_url)
            if not messages:
                break
            assert [handle(message, {})["statusCode"] for message in messages] == [200]
    assert copied(s3) == LONG
    assert files.starts[:2] == [0, 8 * 2**20]
    assert look(handle, path)["status"] == "completed"


@pytest.mark.parametrize(("status", "code"), [("404 X", "source_not_found"), ("410 X", "source_not_found")])
def test_address_without_a_recording(server: str, queue_url: str, status: str, code: str) -> None:
    """A job whose address has nothing is failed, with the answer that a client would have had."""
    handle = new_instance()
    with serve(lambda peer: peer.answer(status=status)) as web:
        path = created(handle, web.url)
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
    found = look(handle, path)
    assert (found["status"], found["error"]["code"]) == ("failed", code)


@pytest.mark.parametrize("url", ["ftp://example.com/a.mp3", "http://user:word@example.com/a.mp3", "http://"])
def test_address_that_is_never_fetched(url: str, api: Api) -> None:
    """An address that no recording is read from is a 400 at once."""
    answer = new_instance()(post({"url": url, "async": True}), {})
    assert answer["statusCode"] == 400
    assert api.jobs == 0


def test_recording_over_the_limit(environment: pytest.MonkeyPatch, server: str, queue_url: str, s3: Any) -> None:
    """Over MAX_AUDIO_MB nothing is copied, and the job says so."""
    environment.setenv("MAX_AUDIO_MB", "1")
    handle = new_instance()
    with served(FileServer(LONG)) as web:
        path = created(handle, web.url)
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
    assert look(handle, path)["error"]["code"] == "audio_too_large"
    assert not [key for key in all_keys(s3) if key.endswith("/recording")]


def test_deletion_during_a_copy(server: str, queue_url: str, s3: Any) -> None:
    """A job that is deleted while its recording is copied leaves neither parts nor an object."""
    handle = new_instance()
    paths: list[str] = []

    def conversation(peer: Peer) -> None:
        files = FileServer(LONG)
        peer.send(f'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: {len(LONG)}\r\n\r\n'.encode())
        peer.send(files.body[: 10 * MB])
        assert new_instance()({"httpMethod": "DELETE", "path": paths[0]}, {})["statusCode"] == 200
        peer.send(files.body[10 * MB :])

    with serve(conversation) as web:
        paths.append(created(handle, web.url))
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
    job_id = paths[0].rpartition("/")[2]
    assert [key for key in all_keys(s3) if "/owed/" not in key] == [f"transcripts/.work/jobs/{job_id}/job.json"]
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
