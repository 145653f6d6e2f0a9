"""The real function on the local platform with its triggers: an upload or a job comes in, and results appear, once."""

import base64
import io
import json
import os
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from boto3.s3.transfer import TransferConfig
from standardwebhooks import Webhook, WebhookVerificationError
from support.function_folders import wait_until
from support.loopback import Peer, serve
from support.recordings import recording

from emulator.control.client import ControlClient
from emulator.generative.server import GenerativeServer
from emulator.local_platform import LocalPlatform, PlatformOptions
from emulator.storage.server import StorageAccess

INSTANCES = 5
SECRET = "whsec_" + base64.b64encode(b"a secret invented for this test").decode()
CALLS = "/v1/audio/transcriptions"
# The least that a part of an upload may have, but for its last.
PART_BYTES = 5 * 1024 * 1024


class Local:
    """The platform with what a test asks of it."""

    def __init__(self, platform: LocalPlatform) -> None:
        assert platform.apis is not None
        assert platform.control is not None
        assert platform.storage is not None
        self.url = platform.function.url
        self.apis: GenerativeServer = platform.apis
        self.control: ControlClient = platform.control
        self.access: StorageAccess = platform.storage.access
        self.s3 = self.access.client("s3")

    def calls(self) -> int:
        return sum(request["path"] == CALLS for request in self.apis.requests())

    def stored(self) -> list[str]:
        keys = [entry["key"] for entry in self.control.platform()["bucket"]["objects"]]
        return [key for key in keys if "/.work/" not in key]

    def wait_for(self, key: str) -> Any:
        wait_until(lambda: key in self.stored())
        self.wait_until_idle()
        return json.loads(self.s3.get_object(Bucket=self.access.bucket, Key=key)["Body"].read())

    def wait_until_idle(self) -> None:
        wait_until(lambda: not any(self.control.platform()["queue"][name] for name in ("waiting", "in_flight")))


@pytest.fixture(scope="module")
def started() -> Iterator[Local]:
    options = PlatformOptions(instances=INSTANCES, recogniser="stand-in", storage=True, retry_seconds=0.1)
    environment = {"PATH": os.environ["PATH"], "CALLBACK_SECRET": SECRET, "ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}
    with LocalPlatform(options, environment) as platform:
        yield Local(platform)


@pytest.fixture
def local(started: Local) -> Iterator[Local]:
    yield started
    started.wait_until_idle()
    started.apis.clear()
    for key in started.stored():
        started.s3.delete_object(Bucket=started.access.bucket, Key=key)
    started.wait_until_idle()


def after_silence(name: str, size_bytes: int) -> bytes:
    """A recording with so much silence before it, in one WAV file."""
    file = io.BytesIO()
    with wave.open(io.BytesIO(recording(name))) as reader, wave.open(file, "wb") as writer:
        writer.setparams(reader.getparams())
        writer.writeframes(bytes(size_bytes) + reader.readframes(reader.getnframes()))
    return file.getvalue()


def test_an_upload_gets_its_transcript(local: Local) -> None:
    """A copy into the bucket is all that it takes, by a client that sends it in parts too; each costs one job."""
    long = after_silence("jfk.wav", PART_BYTES)
    for name, audio in (("jfk.mp3", recording("jfk.mp3")), ("long.wav", long)):
        config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
        local.s3.upload_fileobj(io.BytesIO(audio), local.access.bucket, f"incoming/{name}", Config=config)
    assert "stand-in transcript of 11" in local.wait_for("transcripts/incoming/jfk.mp3.json")["text"]
    local.wait_for("transcripts/incoming/long.wav.json")
    local.wait_until_idle()
    assert local.stored() == [
        *("incoming/jfk.mp3", "incoming/long.wav"),
        *("transcripts/incoming/jfk.mp3.json", "transcripts/incoming/long.wav.json"),
    ]
    assert local.calls() == 2


def test_an_upload_announced_five_times_at_once(local: Local) -> None:
    """Five instances that get the same upload at the same time cost one job of the API."""
    local.apis.fault("wait", seconds=2.0, path=CALLS)  # while it is done, all five are told
    local.s3.put_object(Bucket=local.access.bucket, Key="a.mp3", Body=recording("jfk.mp3"))
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "recordings"}, "object": {"key": "a.mp3"}}}
    for _ in range(INSTANCES - 1):
        local.control.publish(json.dumps({"Records": [record]}).encode())
    local.wait_for("transcripts/a.mp3.json")
    assert local.calls() == 1
    assert local.stored() == ["a.mp3", "transcripts/a.mp3.json"]


@dataclass
class Receiver:
    """A server that takes callbacks, the first few of them not at once."""

    refusals: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        head, _, body = peer.request.partition(b"\r\n\r\n")
        headers = {
            name.lower(): value for name, value in (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        }
        self.ids.append(headers["webhook-id"])
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body.replace(b" ", b"  ", 1), headers)
        verified = Webhook(SECRET).verify(body, headers)
        if self.refusals:
            self.refusals -= 1
            peer.answer(status="503 Busy")
            return
        peer.answer()
        self.taken.append(verified)


def test_a_callback_comes_by_way_of_the_queue(local: Local) -> None:
    """A request with a callback is a job, and called back under its webhook_id, again under the same when refused."""
    receiver = Receiver(refusals=1)
    with serve(receiver) as server:
        body = {"audio": base64.b64encode(recording("jfk.mp3")).decode(), "callback": server.url}
        queued = requests.post(local.url, json=body, timeout=60)
        assert queued.status_code == 202
        wait_until(lambda: receiver.taken != [])
        local.wait_until_idle()
    assert receiver.ids == [queued.json()["webhook_id"]] * 2
    assert queued.json()["id"] not in receiver.ids
    assert "stand-in transcript" in receiver.taken[0]["text"]
    assert local.calls() == 1


def test_a_failure_is_called_back(local: Local) -> None:
    """What cannot be transcribed, however often it is tried, is called back as an error, signed as well."""
    receiver = Receiver()
    with serve(receiver) as server:
        body = {"audio": base64.b64encode(b"no audio at all").decode(), "callback": server.url}
        queued = requests.post(local.url, json=body, timeout=60)
        wait_until(lambda: receiver.taken != [])
    assert (queued.status_code, receiver.ids) == (202, [queued.json()["webhook_id"]])
    assert receiver.taken[0]["error"]["code"] == "unsupported_audio"
