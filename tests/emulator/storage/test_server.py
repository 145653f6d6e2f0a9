"""Tests of the emulated Object Storage and Queues, by common clients."""

import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import obstore
import pytest
import requests
from botocore.exceptions import ClientError
from obstore.store import S3Store

from emulator.processes import ServerFailedError
from emulator.storage.server import StorageAccess, StorageServer

TIMEOUT_SECONDS = 60
KEY = "a folder/été + 100%.mp3"


@pytest.fixture(scope="module")
def access() -> Iterator[StorageAccess]:
    with StorageServer() as server:
        server.wait_until_ready()
        yield server.access


@pytest.fixture(scope="module")
def s3(access: StorageAccess) -> Any:
    return access.client("s3")


@pytest.fixture(autouse=True)
def empty_queue(access: StorageAccess, s3: Any) -> Iterator[None]:
    """Empty storage and queue for each test."""
    yield
    for entry in s3.list_objects_v2(Bucket=access.bucket).get("Contents", []):
        s3.delete_object(Bucket=access.bucket, Key=entry["Key"])
    announced(access)


def announced(access: StorageAccess) -> list[dict[str, Any]]:
    """Receive and delete all messages of the queue, and return their records."""
    sqs = access.client("sqs")
    records = []
    while messages := sqs.receive_message(QueueUrl=access.queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            records += json.loads(message["Body"])["Records"]
            sqs.delete_message(QueueUrl=access.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return records


def store(access: StorageAccess) -> S3Store:
    return S3Store(
        access.bucket,
        endpoint=access.endpoint,
        region=access.region,
        access_key_id=access.access_key,
        secret_access_key=access.secret_key,
        client_options={"allow_http": True},
    )


def test_a_new_server_has_announced_nothing(access: StorageAccess) -> None:
    """The queue is empty at the start, also without the test event of a new notification."""
    assert announced(access) == []


def test_an_upload_is_announced(access: StorageAccess, s3: Any) -> None:
    """An upload makes one record: event, bucket, key URL-encoded with `+` for a space, size and ETag."""
    etag = s3.put_object(Bucket=access.bucket, Key=KEY, Body=b"audio")["ETag"]
    (record,) = announced(access)
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == access.bucket
    assert record["s3"]["object"] == {
        "key": "a+folder%2F%C3%A9t%C3%A9+%2B+100%25.mp3",
        "size": 5,
        "eTag": etag.strip('"'),
    }
    assert unquote_plus(record["s3"]["object"]["key"]) == KEY


def test_an_upload_in_parts_is_announced(access: StorageAccess) -> None:
    """A large object that another client uploads in parts is announced with its size and the ETag of downloads.

    moto also announces it as a plain upload; a platform whose records come at least once may do so, too.
    """
    data = bytes(12_000_000)
    written = obstore.put(store(access), "large.wav", data, chunk_size=5 * 1024 * 1024)
    records = announced(access)
    assert records[-1]["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    about = {"key": "large.wav", "size": len(data), "eTag": (written["e_tag"] or "").strip('"')}
    assert all(record["s3"]["object"] == about for record in records)


def test_a_removal_is_announced_as_one(access: StorageAccess, s3: Any) -> None:
    """The record of a deleted object has the event of a removal, and not of an upload."""
    s3.put_object(Bucket=access.bucket, Key="gone.mp3", Body=b"audio")
    s3.delete_object(Bucket=access.bucket, Key="gone.mp3")
    assert [record["eventName"] for record in announced(access)] == ["ObjectCreated:Put", "ObjectRemoved:Delete"]


@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_credentials_are_refused(access: StorageAccess, wrong: str) -> None:
    """Storage and queue refuse an unknown access key, and a signature with another secret key."""
    stranger = replace(access, **{wrong: "SCWXXXXXXXXXXXXXXXXX"})
    with pytest.raises(ClientError) as refused:
        stranger.client("s3").put_object(Bucket=access.bucket, Key="a.mp3", Body=b"audio")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(ClientError) as refused:
        stranger.client("sqs").send_message(QueueUrl=access.queue_url, MessageBody="{}")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert announced(access) == []


def test_a_changed_message_is_refused(access: StorageAccess) -> None:
    """A message's signature includes its body: with another body it is a 403."""
    bodies: list[bytes] = []
    sqs = access.client("sqs")

    def exchange(request: Any, **_context: Any) -> None:
        bodies.append(request.body)
        request.body = request.body.replace(b"mine", b"hers")

    sqs.meta.events.register("before-send.sqs.SendMessage", exchange)
    with pytest.raises(ClientError):
        sqs.send_message(QueueUrl=access.queue_url, MessageBody="mine")
    assert bodies


def test_unsigned_requests_are_refused(access: StorageAccess) -> None:
    """Every request needs a signature, those to moto's own endpoints, too."""
    for path in ("", f"/{access.bucket}", "/moto-api/data.json"):
        assert requests.get(access.endpoint + path, timeout=TIMEOUT_SECONDS).status_code == 403
    answer = requests.post(f"{access.endpoint}/moto-api/reset", timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 403


def test_presigned_addresses(access: StorageAccess, s3: Any) -> None:
    """A URL signed for an upload or a download works for that, and does not if any part of it is changed."""
    names = {"Bucket": access.bucket, "Key": KEY}
    upload = s3.generate_presigned_url("put_object", names)
    assert requests.put(upload, data=b"audio", timeout=TIMEOUT_SECONDS).status_code == 200
    download = s3.generate_presigned_url("get_object", names)
    assert requests.get(download, timeout=TIMEOUT_SECONDS).content == b"audio"
    assert requests.get(download + "0", timeout=TIMEOUT_SECONDS).status_code == 403
    assert requests.get(upload, timeout=TIMEOUT_SECONDS).status_code == 403


def test_one_of_many_conditional_writes_wins(access: StorageAccess, s3: Any) -> None:
    """Of 16 concurrent writers that require a missing object, exactly one succeeds, round after round."""

    def claim(key: str) -> int:
        try:
            answer = s3.put_object(Bucket=access.bucket, Key=key, Body=b"mine", IfNoneMatch="*")
        except ClientError as error:
            answer = error.response
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    with ThreadPoolExecutor(16) as pool:
        for number in range(5):
            assert sorted(pool.map(claim, [f"claim-{number}"] * 16)) == [200] + [412] * 15


def test_a_write_over_a_version(access: StorageAccess) -> None:
    """A write that requires a version succeeds over that version, and fails over another one."""
    objects = store(access)
    first = objects.put("claim", b"first")
    objects.put("claim", b"second", mode={"e_tag": first["e_tag"]})
    with pytest.raises(obstore.exceptions.PreconditionError):
        objects.put("claim", b"third", mode={"e_tag": first["e_tag"]})
    assert objects.get("claim").bytes() == b"second"


def test_no_message_is_lost_among_many(access: StorageAccess) -> None:
    """All messages arrive that are sent while others are deleted."""
    sqs = access.client("sqs")

    def send_and_take(number: int) -> list[str]:
        sqs.send_message(QueueUrl=access.queue_url, MessageBody=str(number))
        answer = sqs.receive_message(QueueUrl=access.queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=access.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in answer.get("Messages", [])]

    with ThreadPoolExecutor(8) as pool:
        taken = {body for bodies in pool.map(send_and_take, range(100)) for body in bodies}
    while messages := sqs.receive_message(QueueUrl=access.queue_url, MaxNumberOfMessages=10).get("Messages"):
        taken |= {message["Body"] for message in messages}
    assert taken == {str(number) for number in range(100)}


def test_objects_are_kept_in_a_folder(tmp_path: Path) -> None:
    """A second server with the folder has the latest version of each object with its metadata, and announces none."""

    def versions(s3: Any) -> list[tuple[Any, ...]]:
        names = ("Key", "ETag", "Size", "LastModified")
        return [tuple(entry[name] for name in names) for entry in s3.list_objects_v2(Bucket="mine")["Contents"]]

    with StorageServer(bucket="mine", folder=tmp_path / "data") as server:
        server.wait_until_ready()
        s3 = server.access.client("s3")
        for key in (KEY, "removed", "removed with others", "also removed"):
            s3.put_object(Bucket="mine", Key=key, Body=b"before")
        about = {"ContentType": "audio/mpeg", "Metadata": {"etag": "of the audio"}}
        s3.put_object(Bucket="mine", Key=KEY, Body=b"audio", **about)
        obstore.put(store(server.access), "in parts", bytes(6_000_000), chunk_size=5 * 1024 * 1024)
        s3.delete_object(Bucket="mine", Key="removed")
        others = [{"Key": "removed with others"}, {"Key": "also removed"}]
        s3.delete_objects(Bucket="mine", Delete={"Objects": others})
        before = versions(s3)
    with StorageServer(bucket="mine", folder=tmp_path / "data") as server:
        server.wait_until_ready()
        s3 = server.access.client("s3")
        assert versions(s3) == before
        assert [key for key, *_ in before] == [KEY, "in parts"]
        found = s3.get_object(Bucket="mine", Key=KEY)
        assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"audio", *about.values())
        assert announced(server.access) == []


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """A file in place of the folder is an error before the server starts."""
    (tmp_path / "data").touch()
    with pytest.raises(ServerFailedError, match="data"):
        StorageServer(folder=tmp_path / "data")


def test_an_invalid_bucket_name() -> None:
    """A bucket's name is checked before the server starts."""
    with pytest.raises(ServerFailedError, match="Recordings_1"):
        StorageServer(bucket="Recordings_1")


def test_the_keys_are_on_no_command_line(access: StorageAccess) -> None:
    """No process of the machine has a secret key in its command line."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert access.secret_key.encode() not in process.read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    assert os.environ.keys().isdisjoint({"EMULATED_STORAGE_SECRET_KEY"})


def test_a_presigned_upload_is_checked(access: StorageAccess, s3: Any) -> None:
    """A URL is valid for its method, key and signed headers, and an upload by it happens once with If-None-Match."""
    arguments = {"Bucket": access.bucket, "Key": KEY, "IfNoneMatch": "*"}
    url = s3.generate_presigned_url("put_object", arguments, ExpiresIn=60)
    once = {"If-None-Match": "*"}

    def put(url: str, headers: dict[str, str]) -> int:
        return requests.put(url, b"audio", headers=headers, timeout=TIMEOUT_SECONDS).status_code

    assert put(url, {}) == 403
    assert put(url, {"If-None-Match": '"another"'}) == 403
    assert put(url.replace("mp3", "wav"), once) == 403
    assert put(url, {**once, "x-amz-acl": "public-read"}) == 403
    assert requests.get(url, headers=once, timeout=TIMEOUT_SECONDS).status_code == 403
    assert put(url, once) == 200
    assert put(url, once) == 412


def test_a_presigned_url_expires(access: StorageAccess, s3: Any) -> None:
    """After its time, a URL is refused with S3's code."""
    s3.put_object(Bucket=access.bucket, Key=KEY, Body=b"audio")
    url = s3.generate_presigned_url("get_object", {"Bucket": access.bucket, "Key": KEY}, ExpiresIn=1)
    assert requests.get(url, timeout=TIMEOUT_SECONDS).content == b"audio"
    time.sleep(2.1)
    answer = requests.get(url, timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True)


def test_rules_of_a_bucket_are_stored(access: StorageAccess, s3: Any) -> None:
    """CORS and lifecycle rules are kept and replaced as a whole, and a preflight request is answered by the former."""
    rule = {"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=access.bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=access.bucket)["CORSRules"] == [rule]
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    answer = requests.options(f"{access.endpoint}/{access.bucket}/a", headers=preflight, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    for days in (30, 7):
        expiration = {"ID": "parts", "Status": "Enabled", "Filter": {"Prefix": "transcripts/.work/parts/"}}
        expiration |= {"Expiration": {"Days": days}}
        aborted = {"ID": "uploads", "Status": "Enabled", "Filter": {"Prefix": ""}}
        aborted |= {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
        rules = {"Rules": [expiration, aborted]}
        s3.put_bucket_lifecycle_configuration(Bucket=access.bucket, LifecycleConfiguration=rules)
    stored = s3.get_bucket_lifecycle_configuration(Bucket=access.bucket)["Rules"]
    assert [rule["ID"] for rule in stored] == ["parts", "uploads"]
    assert stored[0]["Expiration"] == {"Days": 7}
    assert stored[1]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_a_body_that_breaks_off_is_no_object(access: StorageAccess, s3: Any) -> None:
    """What a client announced and did not send whole leaves nothing, as an upload that broke off must not."""
    url = s3.generate_presigned_url("put_object", Params={"Bucket": access.bucket, "Key": "cut.mp3"}, ExpiresIn=60)
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT_SECONDS) as connection:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"audio")
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.recv(1024)
    assert "Contents" not in s3.list_objects_v2(Bucket=access.bucket)
