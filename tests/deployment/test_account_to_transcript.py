"""From an account with nothing in it to a transcript in a bucket: the function is run with the keys it was given."""

import json
from collections.abc import Iterator
from subprocess import CompletedProcess
from typing import Any

import pytest
from support.deployments import API_KEY, TIMEOUT_SECONDS, deploy, environment_for, needs_node
from support.handling import HEARD, WHISPER, forget_settings, new_instance, post
from support.loopback import Peer, serve
from support.pipelines import BUCKET, World
from support.recordings import recording

from deploy_tools.facts import QUEUE_PERMISSIONS, STORAGE_RIGHTS

TALK = "incoming/talk.mp3"
RESULT = f"transcripts/{TALK}.json"


class Api:
    """The Generative APIs of a test, which keep the keys that they are called with."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def __call__(self, peer: Peer) -> None:
        head = peer.request.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
        self.keys |= {line.partition("bearer ")[2] for line in head.splitlines() if line.startswith("authorization")}
        listed = {"data": [{"id": WHISPER}]}
        peer.answer(json.dumps(listed if peer.path == "/models" else {"text": HEARD}).encode())


@pytest.fixture
def models() -> Iterator[tuple[str, Api]]:
    api = Api()
    with serve(api) as server:
        yield server.url, api


def transcribe(here: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Upload a recording, run the function that is deployed as its triggers do, and fetch the transcript."""
    function, secrets = here.function()
    forget_settings(monkeypatch)
    for name, value in (function["environment_variables"] | secrets).items():
        monkeypatch.setenv(name, value)
    here.person().put_object(Bucket=BUCKET, Key=TALK, Body=recording("jfk.mp3"))
    handle = new_instance()
    (cron,) = here.account.functions.crons.values()
    swept = handle(post(cron["args"]), None)
    assert (swept["statusCode"], json.loads(swept["body"])["queued"]) == (200, 1), swept
    sqs = here.storage.client("sqs")  # as the platform receives
    (trigger,) = here.account.functions.triggers.values()
    url = sqs.get_queue_url(QueueName=trigger["scw_sqs_config"]["queue"])["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    done = handle(post(message["Body"]), None)
    assert done["statusCode"] == 200, done
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    transcript: dict[str, Any] = json.loads(here.person().get_object(Bucket=BUCKET, Key=RESULT)["Body"].read())
    return transcript


def check_that_only_recordings_are_left(here: World) -> None:
    found = here.snapshot()
    assert found.pop("buckets") == {BUCKET: {"cors": [], "lifecycle": []}}
    assert {name: value for name, value in found.items() if value} == {"keys": ["person"]}
    listed = here.person().list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [each["Key"] for each in listed] == [TALK, RESULT]


def test_the_sdk_alone(here: World, models: tuple[str, Api], monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording is transcribed by the keys that were made, which use each right that they have, and no other."""
    url, api = models
    here.set_up(GENERATIVE_API_URL=url, MODELS=WHISPER)
    assert transcribe(here, monkeypatch)["text"] == HEARD
    assert api.keys == {here.function()[1]["GENERATIVE_API_KEY"]}
    used = {name: rights for name, rights in here.storage.used.items() if name.startswith("transcriber")}
    (application,) = (name for name in used if name.startswith("transcriber-storage"))
    assert used.pop(application) == set(STORAGE_RIGHTS)
    assert used["transcriber"] == {right for right, is_given in QUEUE_PERMISSIONS.items() if is_given}
    here.remove()
    check_that_only_recordings_are_left(here)


def run(here: World, *arguments: str, **variables: str) -> CompletedProcess[str]:
    """Run `scripts/deploy` itself, with nothing in its environment but the account and `variables`."""
    known = environment_for(here.account.functions)
    environment = {name: value for name, value in known.items() if not name.startswith(("SCW_", "GENERATIVE_"))}
    done = deploy(*arguments, environment=environment | here.environment | variables)
    for secret in here.account.secret_keys.values():
        assert secret not in done.stdout
    return done


@needs_node()
@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_one_command(here: World, models: tuple[str, Api], monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/deploy --bucket`, with the real framework: to a transcript, again without a change, and removed."""
    url, api = models
    order = ("--bucket", BUCKET, "--prefix", "incoming/", "--archive", str(here.archive))
    variables = {"GENERATIVE_API_URL": url, "MODELS": WHISPER}
    tried = run(here, *order, "--dry-run", **variables)
    assert (tried.returncode, here.account.changes) == (0, 0), tried.stdout
    assert tried.stdout.endswith("Nothing was changed.\n")
    done = run(here, *order, **variables)
    assert done.returncode == 0, done.stdout
    assert "The function answers at https://transcribe.functions.example" in done.stdout
    expected = tried.stdout.removesuffix("Nothing was changed.\n")
    assert done.stdout.startswith(expected)  # what was said before is what was said then
    assert transcribe(here, monkeypatch)["text"] == HEARD
    assert api.keys == {here.function()[1]["GENERATIVE_API_KEY"]}
    before, sent = here.snapshot(), len(here.account.functions.received)
    again = run(here, *order, **variables)
    assert again.returncode == 0, again.stdout
    assert here.snapshot() == before
    credentials = "/mnq/v1beta1/regions/fr-par/sqs-credentials"
    changes = [entry.path for entry in here.account.functions.received[sent:] if entry.method != "GET"]
    assert [path[: len(credentials)] for path in changes] == [credentials] * 2  # made to see the queues, and removed
    removed = run(here, "--remove")
    assert removed.returncode == 0, removed.stdout
    check_that_only_recordings_are_left(here)


@needs_node()
@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_stand_in_is_the_framework(here: World) -> None:
    """What the stand-in for the framework leaves in an account is what the real framework does, field by field."""
    here.set_up()
    by_stand_in = here.snapshot()
    here.remove()
    done = run(here, "--bucket", BUCKET, "--prefix", "incoming/", "--archive", str(here.archive))
    assert done.returncode == 0, done.stdout
    assert here.snapshot() == by_stand_in
    function, secrets = here.function()
    assert {each["key"] for each in function["secret_environment_variables"]} == set(secrets)


@needs_node()
def test_pipeline_is_not_undone(here: World) -> None:
    """Without --bucket, the triggers and keys of a function that has a bucket would go: it is refused, and says why."""
    here.set_up()
    before = here.snapshot()
    done = run(here, "--archive", str(here.archive), GENERATIVE_API_KEY=API_KEY)
    assert (done.returncode, here.snapshot()) == (1, before)
    assert f"The function transcribes the bucket {BUCKET}: deploy it with --bucket" in done.stdout


def test_refusal_is_told_without_secrets(here: World) -> None:
    """The command ends with the sentence about what is missing, and never with the key that an API quotes."""
    quoted = f"not with {here.account.functions.token}"
    here.account.functions.refusals["GET /namespaces"] = (500, {"message": quoted})
    done = run(here, "--bucket", BUCKET, "--archive", str(here.archive), "--dry-run")
    assert done.returncode == 1
    assert done.stdout.startswith("Could not look for the function: the API answers 500, not with […]. Run the command")
    assert "Traceback" not in done.stdout
