"""A client's upload: one PUT of what was announced, straight to the storage, and a request that names it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from support.handling import HEARD, Handle, end_instance, error_of, forget_settings, new_instance, post
from support.loopback import serve
from support.object_storage import all_keys
from support.recordings import recording
from support.triggering import Api

from deploy_tools.facts import expiries
from emulator.storage.server import StorageAccess, StorageServer

MP3 = recording("jfk.mp3")
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def storage() -> Iterator[StorageAccess]:
    """A storage that checks signatures, as moto alone does not."""
    with StorageServer(bucket="recordings") as server:
        server.wait_until_ready()
        yield server.access


@pytest.fixture
def s3(storage: StorageAccess) -> Any:
    s3 = storage.client("s3")
    for key in all_keys(s3):
        s3.delete_object(Bucket=storage.bucket, Key=key)
    return s3


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def environment(api: Api, storage: StorageAccess, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    forget_settings(monkeypatch)
    with serve(api) as api_server:
        settings = {
            "GENERATIVE_API_KEY": "an-invented-key",
            "GENERATIVE_API_URL": api_server.url,
            "MODELS": "whisper-large-v3",
            "OUTPUT_BUCKET": storage.bucket,
            "TIME_LIMIT": "20",
            **{name: value for name, value in storage.function_environment.items() if name.startswith("S3_")},
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield monkeypatch


@pytest.fixture
def new(environment: pytest.MonkeyPatch, s3: Any) -> Iterator[Callable[[], Handle]]:  # noqa: ARG001 # what it finds
    instances: list[Handle] = []

    def make() -> Handle:
        instances.append(new_instance())
        return instances[-1]

    yield make
    for instance in instances:
        end_instance(instance)


@pytest.fixture
def handle(new: Callable[[], Handle]) -> Handle:
    return new()


def announce(handle: Handle, filename: str = "talk.mp3", size: int = len(MP3), **fields: object) -> dict[str, Any]:
    answer = handle(post({"filename": filename, "bytes": size, **fields}, path="/v1/uploads"), {})
    assert answer["statusCode"] == 201, answer["body"]
    slot = json.loads(answer["body"])
    assert isinstance(slot, dict)
    return slot


def put(slot: dict[str, Any], body: bytes = MP3, **headers: str | None) -> requests.Response:
    sent = {**slot["headers"], **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent.pop("Content-Length")
    return requests.put(slot["url"], data=body, headers=sent, timeout=TIMEOUT_SECONDS)


def source(slot: dict[str, Any]) -> dict[str, str]:
    return {"bucket": slot["bucket"], "key": slot["key"]}


def test_an_upload_is_a_source_like_any_other(handle: Handle, s3: Any, api: Api) -> None:
    """What was PUT to the address is transcribed by bucket and key, once, and its results lie beside it."""
    slot = announce(handle)
    assert (slot["object"], slot["method"], slot["bucket"]) == ("upload", "PUT", "recordings")
    assert {name.lower() for name in slot["headers"]} == {"content-type", "content-length", "if-none-match"}
    assert re.fullmatch(r"transcripts/\.work/uploads/[0-9a-f]{32}/talk\.mp3", slot["key"])
    assert put(slot).status_code == 200
    for _ in range(2):
        answer = handle(post(source(slot)), {})
        assert (answer["statusCode"], json.loads(answer["body"])["text"]) == (200, HEARD)
    assert api.jobs == 1
    assert all_keys(s3) == [slot["key"], f"{slot['key']}.json"]


def test_results_of_options_lie_with_the_upload(handle: Handle, s3: Any) -> None:
    """Each result of an upload, with options or without, has the upload's key as its beginning: one rule ends all."""
    slot = announce(handle)
    put(slot)
    for options in ({}, {"language": "en"}):
        assert handle(post({**source(slot), **options}), {})["statusCode"] == 200
    assert len(all_keys(s3)) == 3
    assert all(key.startswith(slot["key"]) for key in all_keys(s3))


def test_an_upload_expires_with_its_results(handle: Handle, s3: Any, storage: StorageAccess) -> None:
    """By the rules of scripts/deploy, an upload and all that came of it are gone after JOB_DAYS, not before."""
    rules = [expiry.rule() for expiry in expiries("transcripts/", 7)]
    s3.put_bucket_lifecycle_configuration(Bucket=storage.bucket, LifecycleConfiguration={"Rules": rules})
    slot = announce(handle)
    put(slot)
    for options in ({}, {"language": "en"}):
        handle(post({**source(slot), **options}), {})
    s3.put_object(Bucket=storage.bucket, Key="transcripts/kept.json", Body=b"{}")
    assert storage.fire_lifecycle(6.9)["objects"] == 0
    assert storage.fire_lifecycle(7)["objects"] == 3
    assert all_keys(s3) == ["transcripts/kept.json"]
    assert handle(post(source(slot)), {})["statusCode"] == 404


def test_only_what_was_announced_is_taken(handle: Handle, s3: Any) -> None:
    """Another length, another type, a PUT without the condition and a changed address are refused by the storage."""
    slot = announce(handle, mime_type="audio/mpeg")
    assert put(slot, MP3 + b"!").status_code == 403
    assert put(slot, Content_Type="text/html").status_code == 403
    assert put(slot, If_None_Match=None).status_code == 403
    assert put({**slot, "url": slot["url"].replace("talk.mp3", "other.mp3")}).status_code == 403
    assert put({**slot, "url": slot["url"].replace("X-Amz-Expires=3600", "X-Amz-Expires=9999")}).status_code == 403
    assert all_keys(s3) == []
    assert put(slot).status_code == 200


def test_an_upload_is_made_once(handle: Handle, s3: Any) -> None:
    """The address does not replace what was put there."""
    slot = announce(handle)
    assert [put(slot).status_code for _ in range(2)] == [200, 412]
    assert all_keys(s3) == [slot["key"]]


def test_no_other_trigger_takes_an_upload(handle: Handle, api: Api) -> None:
    """Neither an upload event nor a sweep transcribes what clients have uploaded for themselves."""
    slot = announce(handle)
    put(slot)
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "recordings"}, "object": {"key": slot["key"]}},
    }
    assert json.loads(handle(post({"Records": [record]}), {})["body"])["skipped"] == 1
    for prefix in ("", "transcripts/", "transcripts/.work/"):
        handle(post({"sweep": {"bucket": "recordings", "prefix": prefix}}), {})
    assert api.jobs == 0


def test_size_is_checked_at_once_and_afterwards(
    handle: Handle, environment: pytest.MonkeyPatch, api: Api, new: Callable[[], Handle]
) -> None:
    """MAX_AUDIO_MB holds for the announced size, and for whatever lies there later."""
    slot = announce(handle)
    put(slot)
    environment.setenv("MAX_AUDIO_MB", "0.01")
    limited = new()
    answer = limited(post({"filename": "talk.mp3", "bytes": len(MP3)}, path="/v1/uploads"), {})
    assert (answer["statusCode"], error_of(answer)["param"]) == (413, "bytes")
    assert limited(post(source(slot)), {})["statusCode"] == 413
    assert api.jobs == 0


@pytest.mark.parametrize(
    "missing",
    [["S3_ACCESS_KEY", "S3_SECRET_KEY"], ["OUTPUT_BUCKET"], ["S3_ACCESS_KEY", "S3_SECRET_KEY", "OUTPUT_BUCKET"]],
)
def test_what_an_upload_needs(environment: pytest.MonkeyPatch, new: Callable[[], Handle], missing: list[str]) -> None:
    """Without storage, or a bucket for what is kept, an upload is a 400 that names each setting that is missing."""
    for name in missing:
        environment.delenv(name)
    answer = new()(post({"filename": "talk.mp3", "bytes": 7}, path="/v1/uploads"), {})
    assert answer["statusCode"] == 400
    assert {
        name for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY", "OUTPUT_BUCKET") if name in error_of(answer)["message"]
    } == {*missing}


def test_ids_stand_in_no_log(handle: Handle, capsys: pytest.CaptureFixture[str]) -> None:
    """The random part of a key appears in no line of the log, neither of success nor of failure: its hash does."""
    slot = announce(handle)
    handle(post(source(slot)), {})  # nothing is there yet
    put(slot)
    handle(post(source(slot)), {})
    log = capsys.readouterr().err
    secret = slot["id"].removeprefix("upload_")
    assert len(log.splitlines()) == 3
    assert secret not in log
    assert len({*re.findall(r"#([0-9a-f]{12})", log)}) == 1


@pytest.mark.parametrize(
    "filename",
    [
        "../../etc/passwd",
        "C:\\films\\a b.mp4",
        "é — film?.mkv",
        "...",
        "a" * 500 + ".mp3",
        "日本語" * 80 + ".m4a",
        "%2e%2e/x#y",
    ],
)
def test_any_name_becomes_a_key(handle: Handle, api: Api, filename: str) -> None:
    """Whatever a file is called, its key stays in its own folder, and works in PUT and request."""
    slot = announce(handle, filename)
    assert re.fullmatch(r"transcripts/\.work/uploads/[0-9a-f]{32}/[\w.-]+", slot["key"])
    assert put(slot).status_code == 200
    assert handle(post(source(slot)), {})["statusCode"] == 200
    assert api.jobs == 1


def test_a_job_of_an_upload_is_removed_with_all_of_it(handle: Handle, s3: Any) -> None:
    """A job may be of an upload; when the job is deleted, the upload and its results are gone, too."""
    slot = announce(handle)
    put(slot)
    accepted = handle(post({**source(slot), "async": True}), {})
    assert accepted["statusCode"] == 202
    path = accepted["headers"]["Location"]
    while json.loads(call(handle, path)["body"])["status"] != "completed":
        pass
    assert json.loads(call(handle, f"{path}/content")["body"])["text"] == HEARD
    assert {slot["key"], f"{slot['key']}.json"} <= set(all_keys(s3))
    assert call(handle, path, "DELETE")["statusCode"] == 200
    assert [key for key in all_keys(s3) if slot["key"] in key] == []
    assert handle(post(source(slot)), {})["statusCode"] == 404


def call(handle: Handle, path: str, method: str = "GET") -> dict[str, Any]:
    return handle({"httpMethod": method, "path": path}, {})


def test_an_upload_needs_the_token(environment: pytest.MonkeyPatch, new: Callable[[], Handle]) -> None:
    """With ACCESS_TOKEN set, an upload is a 401 without it; the PUT itself needs the signed address alone."""
    environment.setenv("ACCESS_TOKEN", "the-token")
    handle, body = new(), {"filename": "talk.mp3", "bytes": len(MP3)}
    assert handle(post(body, path="/v1/uploads"), {})["statusCode"] == 401
    allowed = handle(post(body, path="/v1/uploads", headers={"Authorization": "Bearer the-token"}), {})
    assert allowed["statusCode"] == 201
    assert put(json.loads(allowed["body"])).status_code == 200
