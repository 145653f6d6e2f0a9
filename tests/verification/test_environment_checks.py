"""`scripts/verify` without an address: each planted fault of an environment is named, with its cure."""

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from support.loopback import Peer, serve
from support.object_storage import all_keys
from support.proxies import has_header, method_of, proxy, s3_error
from support.verifying import verify

from emulator.generative.quota import QuotaOptions
from emulator.generative.server import GenerativeServer
from emulator.storage.server import StorageAccess
from verify_run.__main__ import main

WHISPER, VOXTRAL = "whisper-large-v3", "voxtral-small-24b-2507"


def queued_messages(storage: StorageAccess) -> list[str]:
    """What waits in the queue, but for what the storage announces of its objects."""
    received = storage.client("sqs").receive_message(QueueUrl=storage.queue_url, MaxNumberOfMessages=10)
    return [message["Body"] for message in received.get("Messages", []) if "Records" not in message["Body"]]


def test_a_right_environment(environment: dict[str, str], storage: StorageAccess) -> None:
    """Nothing fails, the models' abilities are shown, and nothing stays in bucket and queue."""
    found = verify(environment=environment)
    assert found.status == 0, found.text
    assert set(found.verdicts().values()) <= {"ok", "skipped"}, found.text
    assert "times of segments; prompts; formats json, verbose_json, text" in found.of(WHISPER)["text"]
    assert "chat model" in found.of(VOXTRAL)["text"]
    assert found.verdicts()["conditions"] == found.verdicts()["CORS"] == found.verdicts()["clock"] == "ok"
    assert all_keys(storage.client("s3")) == []
    assert queued_messages(storage) == []


def test_the_price_is_said_before_it_is_paid(
    environment: dict[str, str], apis: GenerativeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report for a person has the price of the sample before the first check of a model, one line a check."""
    assert main([], environment) == 0
    lines = capsys.readouterr().out.splitlines()
    said = next(number for number, line in enumerate(lines) if "0.0022 by PRICES" in line)
    checked = next(number for number, line in enumerate(lines) if line.startswith(f"✓ {WHISPER}"))
    assert said < checked
    paid = sum(request["audio"] is not None for request in apis.requests())
    assert paid <= 5


def test_free_checks_transcribe_nothing(environment: dict[str, str], apis: GenerativeServer) -> None:
    """With --free, no audio is sent."""
    assert verify("--free", environment=environment).status == 0
    assert not any(request["audio"] for request in apis.requests())


# The twelve faults, and their kinds.


@pytest.mark.parametrize(
    ("variable", "check", "cause", "cure"),
    [
        ("GENERATIVE_API_KEY", "API key", "GENERATIVE_API_KEY is wrong", "GenerativeApisModelAccess"),
        ("S3_ACCESS_KEY", "bucket", "S3_ACCESS_KEY and S3_SECRET_KEY", "one API key"),
        ("S3_SECRET_KEY", "bucket", "S3_ACCESS_KEY and S3_SECRET_KEY", "one API key"),
        ("QUEUE_ACCESS_KEY", "queue", "QUEUE_ACCESS_KEY and QUEUE_SECRET_KEY", "permission to publish"),
        ("QUEUE_SECRET_KEY", "queue", "QUEUE_ACCESS_KEY and QUEUE_SECRET_KEY", "permission to publish"),
    ],
)
def test_a_wrong_key(environment: dict[str, str], variable: str, check: str, cause: str, cure: str) -> None:
    """A key that does not exist is named by its variable, whichever service it is for."""
    found = verify("--free", environment=environment | {variable: "an-invented-key-that-is-wrong"})
    found.assert_failed(check, cause, cure=cure)
    assert sum(verdict == "failed" for verdict in found.verdicts().values()) == 1


@pytest.mark.parametrize(
    ("methods", "deed", "right"),
    [
        ({"PUT"}, "write", "ObjectStorageObjectsWrite"),
        ({"DELETE"}, "delete", "ObjectStorageObjectsDelete"),
        ({"GET"}, "list", "ObjectStorageObjectsRead"),
    ],
)
def test_a_right_is_missing(
    environment: dict[str, str], storage: StorageAccess, methods: set[str], deed: str, right: str
) -> None:
    """What the keys may not do in the bucket is named with the permission set that is missing."""

    def refuse(peer: Peer) -> bool:
        return method_of(peer) in methods and s3_error(peer, "AccessDenied", "403 Forbidden")

    with proxy(storage.endpoint, refuse) as server:
        found = verify("--free", environment=environment | {"S3_ENDPOINT": server.url})
    check = "bucket" if deed == "list" else "rights"
    found.assert_failed(check, f"no right to {deed}", "AccessDenied", cure=right)
    for key in all_keys(storage.client("s3")):  # what could not be removed
        storage.client("s3").delete_object(Bucket=storage.bucket, Key=key)


def test_a_model_that_is_gone(environment: dict[str, str], apis: GenerativeServer) -> None:
    """A model that the API does not have is named, with those that there are."""
    apis.set_models([WHISPER])
    gone = verify("--free", environment=environment | {"MODELS": f"{VOXTRAL},{WHISPER}"})
    gone.assert_failed(VOXTRAL, f"no such model; there are {WHISPER}", cure=f"MODELS={WHISPER}")
    fallback = verify("--free", environment=environment)
    assert (fallback.status, fallback.of(VOXTRAL)["verdict"]) == (0, "warned")
    assert f"MODELS={WHISPER}" in fallback.of(VOXTRAL)["cure"]


def test_a_model_that_is_listed_and_gone(environment: dict[str, str], apis: GenerativeServer) -> None:
    """A list that still names a model does not hide that its calls fail."""
    missing = {"object": "error", "message": "The model `whisper-large-v3` does not exist.", "code": 404}

    def refuse(peer: Peer) -> bool:
        if method_of(peer) != "POST":
            return False
        peer.answer(json.dumps(missing).encode(), status="404 Not Found")
        return True

    with proxy(apis.url, refuse) as server:
        environment |= {"GENERATIVE_API_URL": f"{server.url}/v1", "MODELS": WHISPER}
        verify(environment=environment).assert_failed(WHISPER, "the API does not have it", cure="out of MODELS")


@pytest.mark.parametrize(
    ("url", "region", "cause", "cure"),
    [
        (
            "https://sqs.mnq.nl-ams.scaleway.com/project/uploads",
            "fr-par",
            "in nl-ams, and the function in fr-par",
            "fr-par",
        ),
        (
            "https://sqs.mnq.fr-par.scaleway.com/project/uploads",
            "nl-ams",
            "in fr-par, and the function in nl-ams",
            "nl-ams",
        ),
        ("https://sqs.mnq.pl-waw.scaleway.com/project/uploads", "pl-waw", "no queues", "fr-par or nl-ams"),
    ],
)
def test_a_queue_in_another_region(environment: dict[str, str], url: str, region: str, cause: str, cure: str) -> None:
    """A queue that the function's trigger cannot read is named without a request to it."""
    found = verify("--free", environment=environment | {"QUEUE_URL": url, "SCW_DEFAULT_REGION": region})
    found.assert_failed("queue", cause, cure=cure)


def test_a_queue_that_is_not_there(environment: dict[str, str]) -> None:
    """A queue of another name, or of a region where it was not made, is missing."""
    found = verify("--free", environment=environment | {"QUEUE_URL": environment["QUEUE_URL"] + "-of-nobody"})
    found.assert_failed("queue", "There is no such queue in fr-par", cure="QUEUE_URL")


def test_a_queue_timeout_shorter_than_the_functions(environment: dict[str, str]) -> None:
    """A queue that delivers again while the function is at work is named with the time that it needs."""
    found = verify("--free", "--timeout", "1800", environment=environment | {"TIME_LIMIT": "1790"})
    found.assert_failed("queue times", "960 s", "1800 s", cure="1860 s")


def test_a_function_timeout_shorter_than_its_time_limit(environment: dict[str, str]) -> None:
    """A function that the platform ends before its own time limit is named with both cures."""
    found = verify("--free", "--timeout", "300", environment=environment | {"TIME_LIMIT": "890"})
    found.assert_failed("time limit", "890 s", "300 s", cure="Set TIME_LIMIT to 290")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_an_hour_off(environment: dict[str, str], apis: GenerativeServer, hours: int) -> None:
    """A clock that is off is seen by the Date of the servers' answers, and the side is named."""

    def shift(answer: bytes) -> bytes:
        moment = format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)
        return re.sub(rb"(?i)\r\ndate: [^\r]*", b"\r\nDate: " + moment.encode(), answer, count=1)

    with proxy(apis.url, change=shift) as server:
        found = verify("--free", environment=environment | {"GENERATIVE_API_URL": f"{server.url}/v1"})
    found.assert_failed("clock", "60 minutes", "ahead of" if hours > 0 else "behind", cure="timedatectl")


def test_a_clock_that_the_storage_refuses(environment: dict[str, str], storage: StorageAccess) -> None:
    """A signature that is refused for its time is not taken for a wrong key."""
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    def refuse(peer: Peer) -> bool:
        return s3_error(peer, "RequestTimeTooSkewed", "403 Forbidden", Date=date)

    with proxy(storage.endpoint, refuse) as server:
        found = verify("--free", environment=environment | {"S3_ENDPOINT": server.url})
    found.assert_failed("bucket", "the clock is wrong", cure="timedatectl")
    found.assert_failed("clock", "60 minutes behind that of Object Storage", cure="timedatectl")


def test_cors_is_missing(environment: dict[str, str], storage: StorageAccess) -> None:
    """A bucket that refuses a browser's question is named with the rule."""

    def refuse(peer: Peer) -> bool:
        return method_of(peer) == "OPTIONS" and s3_error(peer, "AccessForbidden", "403 Forbidden")

    with proxy(storage.endpoint, refuse) as server:
        found = verify("--free", environment=environment | {"S3_ENDPOINT": server.url})
    found.assert_failed("CORS", "no CORS rule for PUT", cure="scripts/deploy --bucket")


def test_a_token_on_a_triggered_function(environment: dict[str, str]) -> None:
    """ACCESS_TOKEN beside a queue is named before the first upload is lost."""
    found = verify("--free", environment=environment | {"ACCESS_TOKEN": "a-token-of-the-operator"})
    found.assert_failed("callers", "triggers cannot send it", cure="Unset ACCESS_TOKEN")


def test_an_open_function(environment: dict[str, str], tmp_path: Path) -> None:
    """A public function without a token is named before it is deployed."""
    config = tmp_path / "serverless.yml"
    config.write_text("functions: {transcribe: {handler: handler.handle, timeout: 900s, privacy: public}}")
    found = verify("--free", "--config", str(config), environment=environment)
    found.assert_failed("callers", "everybody can transcribe", cure='privacy: "private"')


def test_a_policy_that_forbids_conditional_writes(environment: dict[str, str], storage: StorageAccess) -> None:
    """A bucket that takes writes, and refuses them with a condition, is told apart from one without the right."""

    def refuse(peer: Peer) -> bool:
        is_conditional = has_header(peer, "If-None-Match") or has_header(peer, "If-Match")
        return method_of(peer) == "PUT" and is_conditional and s3_error(peer, "AccessDenied", "403 Forbidden")

    with proxy(storage.endpoint, refuse) as server:
        found = verify("--free", environment=environment | {"S3_ENDPOINT": server.url})
    found.assert_failed("conditions", "policy", "forbids conditional writes", cure="bucket's policy")
    assert found.verdicts()["rights"] == "ok"
    assert all_keys(storage.client("s3")) == []


def test_a_storage_that_ignores_conditions(environment: dict[str, str], storage: StorageAccess) -> None:
    """A conditional write that must fail, and does not, is a failure."""

    def ignore(peer: Peer) -> bool:
        if method_of(peer) == "PUT":
            peer.answer(ETag='"an-etag"')
            return True
        if method_of(peer) == "GET" and "verify" in peer.path and "list-type" not in peer.path:
            peer.answer(b"Written by scripts/verify, and removed by it.")
            return True
        return False

    with proxy(storage.endpoint, ignore) as server:
        found = verify("--free", environment=environment | {"S3_ENDPOINT": server.url})
    found.assert_failed("conditions", "must fail with 412", "200", cure="conditional writes")


@pytest.mark.parametrize("secret", ["c2VjcmV0" * 4, "whsec_short", "whsec_" + "c2VjcmV0", "whsec_%%%%"])
def test_a_wrong_callback_secret(environment: dict[str, str], secret: str) -> None:
    """A secret that is none of Standard Webhooks is named with the command that makes one."""
    found = verify("--free", environment=environment | {"CALLBACK_SECRET": secret})
    found.assert_failed("callbacks", "CALLBACK_SECRET", cure="openssl rand -base64 32")


@pytest.mark.parametrize("headers", ["none", "reset", "retry-after"])
def test_a_quota_of_nothing(environment: dict[str, str], headers: str) -> None:
    """An account whose quota takes no call is named, whatever headers the refusal has."""
    quota = QuotaOptions(audio_seconds_per_minute=1, rate_limit_headers=headers)  # type: ignore[arg-type] # of the list above
    with GenerativeServer(recogniser="stand-in", quota=quota) as server:
        found = verify(environment=environment | {"GENERATIVE_API_KEY": server.key, "GENERATIVE_API_URL": server.url})
    found.assert_failed(WHISPER, "The account's quota refuses a call", cure="Validate the payment method")


def test_a_quota_of_zero_in_the_headers(environment: dict[str, str]) -> None:
    """A limit of 0 is a failure even where the calls pass."""
    models = json.dumps({"data": [{"id": WHISPER}]}).encode()
    text = json.dumps({"text": "And so my fellow Americans"}).encode()

    def answer(peer: Peer) -> None:
        limits = {"x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0"}
        peer.answer(models if peer.path.endswith("/models") else text, **limits)

    with serve(answer) as server:
        environment |= {"GENERATIVE_API_URL": f"{server.url}/v1", "MODELS": WHISPER}
        verify(environment=environment).assert_failed("quota", "a quota of nothing", cure="Validate")


def test_a_budget_that_is_used_up(environment: dict[str, str], apis: GenerativeServer) -> None:
    """A budget is no quota: waiting does not cure it."""

    def refuse(peer: Peer) -> bool:
        if method_of(peer) != "POST":
            return False
        peer.answer(b'{"error": {"message": "The budget of the project is exhausted."}}', status="402 Payment Required")
        return True

    with proxy(apis.url, refuse) as server:
        found = verify(environment=environment | {"GENERATIVE_API_URL": f"{server.url}/v1"})
    found.assert_failed(WHISPER, "budget is used up", cure="Raise the budget")


# Further ones of the same kinds.


@pytest.mark.parametrize(
    ("change", "check", "cause", "cure"),
    [
        ({"GENERATIVE_API_URL": "http://127.0.0.1:9/v1"}, "API key", "cannot be reached", "GENERATIVE_API_URL"),
        ({"S3_ENDPOINT": "http://127.0.0.1:9"}, "bucket", "cannot be reached", "S3_ENDPOINT"),
        ({"QUEUE_URL": "http://127.0.0.1:9/1/uploads"}, "queue", "cannot be reached", "QUEUE_URL"),
        ({"OUTPUT_BUCKET": "a-bucket-of-nobody"}, "bucket", "There is no bucket a-bucket-of-nobody", "scripts/deploy"),
        ({"OUTPUT_BUCKET": ""}, "bucket", "no bucket is named", "--bucket"),
        ({"TIME_LIMIT": "soon"}, "settings", "TIME_LIMIT", "TIME_LIMIT"),
        ({"GENERATIVE_API_KEY": ""}, "settings", "GENERATIVE_API_KEY", "GENERATIVE_API_KEY"),
    ],
)
def test_other_faults(environment: dict[str, str], change: dict[str, str], check: str, cause: str, cure: str) -> None:
    """Addresses that lead nowhere, names of nothing, and settings that cannot be read are named, too."""
    verify("--free", environment=environment | change).assert_failed(check, cause, cure=cure)


def test_a_wrong_address_of_the_api(environment: dict[str, str], apis: GenerativeServer) -> None:
    """An address without its /v1 is named as the address, not as the key."""
    address = apis.url.removesuffix("/v1")
    found = verify("--free", environment=environment | {"GENERATIVE_API_URL": address})
    found.assert_failed("API key", "GENERATIVE_API_URL has no list of models", cure="with its /v1")


def test_without_storage_and_queue(environment: dict[str, str]) -> None:
    """What is not set up is skipped with the reason, and no failure."""
    few = {name: value for name, value in environment.items() if not name.startswith(("S3_", "QUEUE_", "OUTPUT_"))}
    found = verify("--free", environment=few)
    assert found.status == 0, found.text
    assert (found.verdicts()["bucket"], found.verdicts()["queue"]) == ("skipped", "skipped")


def test_what_a_server_says_is_fit_to_print(environment: dict[str, str]) -> None:
    """A server's message is shortened, and a key in it is not printed."""
    key = environment["GENERATIVE_API_KEY"]
    body = json.dumps({"error": {"message": f"key {key} is wrong " + "x" * 5_000}}).encode()
    with serve(lambda peer: peer.answer(body, status="401 X")) as server:
        found = verify("--free", environment=environment | {"GENERATIVE_API_URL": server.url})
    assert len(found.of("API key")["text"]) < 600


@pytest.mark.parametrize("arguments", [["ftp://example.com"], ["--audio", "/nowhere"], ["--nothing"]])
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command line has a status of its own."""
    with pytest.raises(SystemExit) as caught:
        main(arguments, {})
    assert caught.value.code == 2
    assert capsys.readouterr().err
