"""Lifecycle rules, fired on demand: they end what is as old as they say, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.storage.server import StorageAccess, StorageServer


@pytest.fixture(scope="module")
def access() -> Iterator[StorageAccess]:
    with StorageServer() as server:
        server.wait_until_ready()
        yield server.access


@pytest.fixture
def s3(access: StorageAccess) -> Iterator[Any]:
    s3 = access.client("s3")
    yield s3
    for key in keys(access):
        s3.delete_object(Bucket=access.bucket, Key=key)
    for upload in open_uploads(access):
        s3.abort_multipart_upload(Bucket=access.bucket, Key="a.mp3", UploadId=upload)


def keys(access: StorageAccess) -> list[str]:
    listed = access.client("s3").list_objects_v2(Bucket=access.bucket)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def open_uploads(access: StorageAccess) -> list[str]:
    listed = access.client("s3").list_multipart_uploads(Bucket=access.bucket)
    return [entry["UploadId"] for entry in listed.get("Uploads", [])]


def rule(s3: Any, access: StorageAccess, *rules: dict[str, Any]) -> None:
    given = [{"ID": str(number), "Status": "Enabled", **each} for number, each in enumerate(rules)]
    s3.put_bucket_lifecycle_configuration(Bucket=access.bucket, LifecycleConfiguration={"Rules": given})


def test_objects_end_by_prefix_and_age(access: StorageAccess, s3: Any) -> None:
    """An object ends once it is as old as the rule of its prefix says, and not before."""
    rule(s3, access, {"Filter": {"Prefix": "work/"}, "Expiration": {"Days": 7}})
    for key in ("work/a b+é.mp3", "kept.mp3"):
        s3.put_object(Bucket=access.bucket, Key=key, Body=b"audio")
    for days, ended in ((0, 0), (6.9, 0), (7, 1), (7, 0)):
        assert access.fire_lifecycle(days) == {"objects": ended, "multipart_uploads": 0}
    assert keys(access) == ["kept.mp3"]


def test_open_uploads_end(access: StorageAccess, s3: Any) -> None:
    """An upload in parts that nobody has completed ends after its days; one that is complete is an object."""
    rule(s3, access, {"Prefix": "", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}})
    for key in ("a.mp3", "b.mp3"):
        upload = s3.create_multipart_upload(Bucket=access.bucket, Key=key)["UploadId"]
        part = s3.upload_part(Bucket=access.bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"audio")
    s3.complete_multipart_upload(
        Bucket=access.bucket,
        Key="b.mp3",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert access.fire_lifecycle(0.5) == {"objects": 0, "multipart_uploads": 0}
    assert access.fire_lifecycle(1) == {"objects": 0, "multipart_uploads": 1}
    assert (open_uploads(access), keys(access)) == ([], ["b.mp3"])


def test_rules_that_do_not_hold(access: StorageAccess, s3: Any) -> None:
    """A rule that is switched off, or that asks for a tag, ends nothing; nor does a bucket without rules."""
    s3.put_object(Bucket=access.bucket, Key="a.mp3", Body=b"audio")
    s3.delete_bucket_lifecycle(Bucket=access.bucket)
    assert access.fire_lifecycle(1_000)["objects"] == 0
    tagged = {"Filter": {"Tag": {"Key": "old", "Value": "yes"}}, "Expiration": {"Days": 1}}
    rule(s3, access, {"Prefix": "", "Expiration": {"Days": 1}, "Status": "Disabled"}, tagged)
    assert access.fire_lifecycle(1_000)["objects"] == 0


def test_what_has_ended_is_not_kept(tmp_path: Path) -> None:
    """An object that a rule has ended is not there after a new start, either."""
    with StorageServer(folder=tmp_path) as server:
        server.wait_until_ready()
        s3 = server.access.client("s3")
        rule(s3, server.access, {"Prefix": "", "Expiration": {"Days": 1}})
        s3.put_object(Bucket=server.access.bucket, Key="a.mp3", Body=b"audio")
        assert server.access.fire_lifecycle(2)["objects"] == 1
    with StorageServer(folder=tmp_path) as server:
        server.wait_until_ready()
        assert keys(server.access) == []
