"""`scripts/verify URL`: a function on the local platform, whole, and with each planted fault."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.function_folders import written
from support.loopback import Peer, serve
from support.object_storage import all_keys
from support.proxies import proxy
from support.verifying import verify

from emulator.function_server import FunctionServer
from emulator.local_platform import LocalPlatform, PlatformOptions
from verify_run import callback_checks, pipeline_checks

SECRET = "whsec_" + "c2VjcmV0" * 4  # invented
OTHER_SECRET = "whsec_" + "b3RoZXJz" * 4  # invented
TOKEN = "a-token-of-the-operator"
# Much shorter than what a person waits.
WAIT_SECONDS = 8.0


@contextmanager
def platform(*, private_token: str | None = None, **settings: str) -> Iterator[LocalPlatform]:
    environment = {
        "PATH": os.environ["PATH"],
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "CALLBACK_SECRET": SECRET,
        "OUTPUT_BUCKET": "recordings",
        **settings,
    }
    options = PlatformOptions(recogniser="stand-in", storage=True, instances=3, private_token=private_token)
    with LocalPlatform(options, environment) as running:
        yield running


def environment_of(running: LocalPlatform, **more: str) -> dict[str, str]:
    """What a person has set beside the function: its storage, its queue, its secret."""
    assert running.storage is not None
    return {**running.storage.access.function_environment, "CALLBACK_SECRET": SECRET, **more}


@pytest.fixture(scope="module")
def private() -> Iterator[LocalPlatform]:
    """A private function with its triggers, as it is deployed."""
    with platform(private_token=TOKEN) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what waits in vain."""
    monkeypatch.setattr(pipeline_checks, "WAIT_SECONDS", WAIT_SECONDS)


def test_a_function_that_works(private: LocalPlatform) -> None:
    """Nothing fails, each way in leads to a transcript, and nothing stays in the bucket."""
    assert private.storage is not None
    found = verify(private.function.url, "--auth-token", TOKEN, environment=environment_of(private))
    assert found.status == 0, found.text
    for check in ("answers", "cold start", "wrong token", "triggers", "6 MiB", "inline", "upload", "queue way"):
        assert found.verdicts()[check] == "ok", found.text
    assert "signature is right" in found.of("callback")["text"]
    assert all_keys(private.storage.access.client("s3")) == []


def test_the_cold_start_is_shown(tmp_path: Path) -> None:
    """The first answer of a function that is started for it shows how long its start takes."""
    source = """
        import json, time
        time.sleep(1.5)

        def handle(event, context):
            answer = {"status": "ok", "version": "0.0.0", "models": ["m"], "limits": {"time_limit_seconds": 10}}
            return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(answer)}
        """
    with FunctionServer(written(tmp_path, source), environment={"PATH": os.environ["PATH"]}) as function:
        found = verify(function.url, "--free", environment={})
    assert "the first answer took" in found.of("cold start")["text"]
    assert found.of("answers")["verdict"] == "warned"  # of another version


def test_a_wrong_token_of_a_person(private: LocalPlatform) -> None:
    """A person whose token is wrong is told which one is needed, and nothing else is tried."""
    found = verify(private.function.url, "--auth-token", "another", environment={})
    found.assert_failed("answers", "The token is refused (403)", cure="FunctionsPrivateAccess")
    assert len(found.findings) == 1


def test_an_open_function() -> None:
    """A function that lets a wrong token in is named, and a callback signed by another secret than here."""
    with platform() as running:
        found = verify(running.function.url, environment=environment_of(running, CALLBACK_SECRET=OTHER_SECRET))
        found.assert_failed("wrong token", "let in (400)", cure='privacy: "private"')
        found.assert_failed("callback", "signed with another secret", cure="the same CALLBACK_SECRET")


def silent_bucket(running: LocalPlatform) -> str:
    """A bucket whose uploads the storage does not announce, as Scaleway's does not."""
    assert running.storage is not None
    s3 = running.storage.access.client("s3")
    if "silent" not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket="silent", CreateBucketConfiguration={"LocationConstraint": "fr-par"})
    return "silent"


def test_a_bucket_without_notifications(private: LocalPlatform) -> None:
    """The queue alone brings a recording of another bucket to its transcript in OUTPUT_BUCKET, and both are cleared."""
    assert private.storage is not None
    environment, bucket = environment_of(private), silent_bucket(private)
    found = verify(private.function.url, "--auth-token", TOKEN, "--bucket", bucket, environment=environment)
    assert found.of("queue way")["verdict"] == "ok", found.text
    s3 = private.storage.access.client("s3")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert all_keys(s3) == []


def test_without_credentials_of_the_queue(private: LocalPlatform) -> None:
    """With one's own keys for the bucket alone, the function queues the recording by itself, and it is transcribed."""
    assert private.storage is not None
    access = private.storage.access
    environment = {
        "SCW_ACCESS_KEY": access.access_key,
        "SCW_SECRET_KEY": access.secret_key,
        "S3_ENDPOINT": access.endpoint,
    }
    arguments = (private.function.url, "--auth-token", TOKEN, "--bucket", silent_bucket(private))
    found = verify(*arguments, environment=environment | {"OUTPUT_BUCKET": "recordings"})
    assert found.of("queue way")["verdict"] == "ok", found.text
    assert all_keys(access.client("s3")) == []
    wrong = verify(*arguments[:-1], "another", environment=environment)
    wrong.assert_failed("queue way", "no bucket another", cure="--bucket")


@pytest.mark.usefixtures("impatient")
def test_a_trigger_is_missing(private: LocalPlatform) -> None:
    """A message that nothing takes from the queue is seen there, and the trigger named as what is missing."""
    assert private.storage is not None
    access = private.storage.access
    lonely = access.client("sqs").create_queue(QueueName="lonely")["QueueUrl"]
    environment = environment_of(private, QUEUE_URL=lonely)
    found = verify(
        private.function.url, "--auth-token", TOKEN, "--bucket", silent_bucket(private), environment=environment
    )
    found.assert_failed("queue way", "no trigger takes them", cure="scripts/deploy --bucket")


@pytest.mark.usefixtures("impatient")
def test_a_token_on_a_triggered_function() -> None:
    """A function whose triggers are refused is named, by their own event and by the upload that waits in vain."""
    with platform(ACCESS_TOKEN=TOKEN) as running:
        found = verify(running.function.url, "--token", TOKEN, environment=environment_of(running))
    assert found.of("wrong token")["verdict"] == "ok", found.text
    assert found.of("inline")["verdict"] == "ok", found.text
    found.assert_failed("triggers", "ACCESS_TOKEN is set", cure="Unset ACCESS_TOKEN")
    found.assert_failed("queue way", "ACCESS_TOKEN is set", cure="Unset ACCESS_TOKEN")


@pytest.mark.parametrize(
    ("settings", "check", "cause", "cure"),
    [
        ({"MODELS": "unknown"}, "answers", "MODELS", "Set MODELS"),
        ({"CALLBACK_SECRET": "whsec_short"}, "callback", "CALLBACK_SECRET", "openssl rand"),
        (
            {"GENERATIVE_API_KEY": "wrong", "GENERATIVE_API_URL": "FAKE"},
            "inline",
            "GENERATIVE_API_KEY",
            "GENERATIVE_API_KEY",
        ),
    ],
)
def test_a_wrong_setting_of_the_function(settings: dict[str, str], check: str, cause: str, cure: str) -> None:
    """What the function says is wrong with its own settings is passed on, with the variable to set."""

    def refuse(peer: Peer) -> None:
        peer.answer(b'{"error": {"message": "no such key"}}', status="401 Unauthorized")

    with serve(refuse) as api:
        settings = {name: api.url if value == "FAKE" else value for name, value in settings.items()}
        with platform(**settings) as running:
            found = verify(running.function.url, environment={"CALLBACK_SECRET": SECRET})
    found.assert_failed(check, cause, cure=cure)


@pytest.mark.parametrize(
    ("status", "body", "cause", "cure"),
    [
        ("404 Not Found", b"", "no function at this address", "console"),
        ("301 Moved Permanently", b"", "redirects (301)", "https://"),
        ("200 OK", b"<html>Welcome</html>", "Something else answers", "the function itself"),
        (
            "500 Internal Server Error",
            b"An error occured during handler execution: Function Handler does not exist",
            "The function fails (500)",
            "scripts/deploy",
        ),
    ],
)
def test_an_address_that_is_none(status: str, body: bytes, cause: str, cure: str) -> None:
    """Whatever else answers at the address is named."""
    with serve(lambda peer: peer.answer(body, status=status)) as server:
        verify(server.url, environment={}).assert_failed("answers", cause, cure=cure)


def test_nothing_answers() -> None:
    """An address where nothing listens is named."""
    verify("http://127.0.0.1:9/", environment={}).assert_failed("answers", "Nothing answers", cure="scripts/deploy")


def test_no_limit_of_a_request(private: LocalPlatform) -> None:
    """A gateway that takes more than 6 MiB is told of, and is no failure."""

    def take(peer: Peer) -> bool:
        if len(peer.request) < 6_000_000:
            return False
        peer.answer(json.dumps({"error": {"message": "taken"}}).encode(), status="400 Bad Request")
        return True

    with proxy(private.function.url, take) as server:
        found = verify(server.url, "--free", "--auth-token", TOKEN, environment={})
    assert (found.status, found.of("6 MiB")["verdict"]) == (0, "warned")


def test_a_run_that_is_stopped_removes_what_it_wrote(private: LocalPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C in the middle, the bucket is as it was, and the status says so."""
    assert private.storage is not None
    access = private.storage.access

    def stop(*_arguments: Any, **_more: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline_checks, "_await_transcript", stop)
    found = verify(private.function.url, "--auth-token", TOKEN, environment=environment_of(private))
    assert found.status == 130
    assert [key for key in all_keys(access.client("s3")) if key.startswith("incoming/")] == []


def test_only_a_function_here_is_called_back_here() -> None:
    """A function elsewhere cannot reach this machine, and one on it can, by each of its names."""
    assert all(map(callback_checks.is_this_machine, ("127.0.0.1", "localhost", "::1", "127.0.0.2")))
    assert not any(map(callback_checks.is_this_machine, ("example.com", "10.0.0.1", "")))
