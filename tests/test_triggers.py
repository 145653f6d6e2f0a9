"""The handler with triggers: recordings in Object Storage get their transcripts beside them, once."""

import base64
import importlib.util
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest
from loopback import Loopback, Peer, body_of, serve
from object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, client, empty, keys, moto
from recordings import hum, recording

HERE = Path(__file__).parent
WHISPER = "whisper-large-v3"
HEARD = "And so my fellow Americans ask not what your country can do for you."
SECRET = "whsec_" + "c2VjcmV0" * 4  # of nobody
TALK = "incoming/a talk (café).mp3"
RESULT = f"transcripts/{TALK}.json"
Handle = Callable[[object, object], dict[str, Any]]


@dataclass
class Api:
    """The API of a test: one model, and the status of each next call."""

    statuses: list[str] = field(default_factory=list)
    jobs: int = 0

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": WHISPER}]}).encode())
            return
        self.jobs += 1
        if not self.statuses:
            peer.answer(json.dumps({"text": HEARD}).encode())
        else:
            gone = b'{"error": {"message": "The model does not exist."}}'
            peer.answer(gone, status=self.statuses.pop(0), Retry_After="60")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture
def s3(server: str) -> Any:
    return empty(server)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def environment(api: Api, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in list(os.environ):
        if name.startswith(("SCW_", "GENERATIVE_", "MODEL", "S3_", "QUEUE_", "OUTPUT_", "AWS_")):
            monkeypatch.delenv(name)
    with serve(api) as api_server:
        for name, value in {
            "GENERATIVE_API_KEY": "a-key-of-nobody",
            "GENERATIVE_API_URL": api_server.url,
            "MODELS": WHISPER,
            "TIME_LIMIT": "20",
            "S3_ENDPOINT": server,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY": ACCESS_KEY,
            "S3_SECRET_KEY": SECRET_KEY,
            "PRICES": f"{WHISPER}=0.6",
        }.items():
            monkeypatch.setenv(name, value)
        yield monkeypatch


def new_instance() -> Handle:
    spec = importlib.util.spec_from_file_location("handler_of_a_test", HERE.parent / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Handle = module.handle
    return function


@pytest.fixture
def handle(environment: pytest.MonkeyPatch, s3: Any) -> Handle:  # noqa: ARG001 # what the instance finds
    return new_instance()


def event(name: str) -> Any:
    return json.loads((HERE / "events" / f"{name}.json").read_text())


def post(body: object) -> dict[str, object]:
    return {"httpMethod": "POST", "body": json.dumps(body)}


def upload(s3: Any, key: str = TALK, body: bytes | None = None) -> str:
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=recording("jfk.mp3") if body is None else body)["ETag"]
    return str(etag).strip('"')


def stored(s3: Any, key: str) -> Any:
    return s3.get_object(Bucket=BUCKET, Key=key)


def counts(answer: dict[str, Any]) -> dict[str, int]:
    assert answer["statusCode"] == 200, answer["body"]
    return {name: count for name, count in json.loads(answer["body"]).items() if count}


@pytest.mark.parametrize("name", ["upload", "upload-sns", "queue-job", "queue-object", "cron-sweep"])
def test_each_trigger_leaves_a_transcript(
    handle: Handle, s3: Any, api: Api, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However the function is told of a recording, its transcript appears, names its version, and is logged."""
    etag = upload(s3)
    for _ in range(2):
        assert handle(event(name), {})["statusCode"] == 200
    assert (api.jobs, keys(s3)) == (1, [TALK, RESULT])
    result = stored(s3, RESULT)
    assert json.loads(result["Body"].read())["text"] == HEARD
    assert (result["ContentType"], result["Metadata"]["audio-etag"]) == ("application/json", etag)
    first = json.loads(capsys.readouterr().err.splitlines()[0])
    assert {name: first[name] for name in ("key", "outcome", "source", "model")} == {
        "key": TALK,
        "outcome": "done",
        "source": "storage",
        "model": WHISPER,
    }
    assert first["cost"] == pytest.approx(0.6 * 11.088 / 60, abs=1e-5)


def test_nothing_to_do(handle: Handle, api: Api, s3: Any) -> None:
    """Removals, the store's own test, files beside the recordings and the function's results are left alone."""
    for name in ("upload-removed", "upload-test"):
        assert counts(handle(event(name), {})) == {}
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
        for key in ("notes.txt", "a.mp3.json", "transcripts/a.mp3")
    ]
    assert counts(handle(post({"Records": records}), {})) == {"skipped": 3}
    assert (api.jobs, keys(s3)) == (0, [])


def test_several_uploads_in_one_message(handle: Handle, s3: Any, api: Api) -> None:
    """Each upload of a message is transcribed, and one that was removed since is skipped."""
    upload(s3, "b.wav", hum(1))
    assert counts(handle(event("upload-several"), {})) == {"found": 2, "done": 1, "skipped": 1}
    assert (api.jobs, keys(s3)) == (1, ["b.wav", "transcripts/b.wav.json"])


@pytest.mark.parametrize(
    "body",
    [
        {"Records": [{"eventName": 1}]},
        {"sweep": {"bucket": "b", "prefx": ""}},
        {"sweep": []},
        {"job": {}},
        {"hello": 1},
    ],
)
def test_malformed_messages_are_refused(handle: Handle, body: object, capsys: pytest.CaptureFixture[str]) -> None:
    """A message that is none of ours is a 400 with a line in the log, so that it is not taken for success."""
    assert handle(post(body), {})["statusCode"] == 400
    assert json.loads(capsys.readouterr().err)["code"] == "invalid_request"


def test_triggers_and_access_token_exclude_each_other(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ACCESS_TOKEN set, a message without it is a 401, and an error in the log that says what to do."""
    environment.setenv("ACCESS_TOKEN", "a-token-of-nobody")
    assert new_instance()(event("upload"), {})["statusCode"] == 401
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], "privacy: private" in line["error"]) == ("error", True)


def test_five_instances_at_once(environment: pytest.MonkeyPatch, s3: Any, api: Api) -> None:
    """The same upload told to five instances at once costs one job of the API."""
    upload(s3)
    instances = [new_instance() for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda instance: instance(event("upload"), {}), instances))
    assert [answer["statusCode"] for answer in answers] == [200] * 5
    assert (api.jobs, keys(s3)) == (1, [TALK, RESULT])
    assert environment


def test_new_audio_under_an_old_key(handle: Handle, s3: Any, api: Api) -> None:
    """Another version is transcribed anew, the same bytes uploaded again are not."""
    for body in (hum(1), hum(2), hum(2)):
        etag = upload(s3, body=body)
        handle(event("upload"), {})
    assert api.jobs == 2
    assert stored(s3, RESULT)["Metadata"]["audio-etag"] == etag
    assert json.loads(stored(s3, RESULT)["Body"].read())["duration"] == 2


def test_failure_that_cannot_be_cured(handle: Handle, s3: Any, api: Api) -> None:
    """What is no audio has an error record, is answered 200, and is not tried again - until better audio comes."""
    upload(s3, body=b"<html>no</html>")
    assert counts(handle(event("upload"), {})) == {"found": 1, "failed": 1}
    record = f"transcripts/{TALK}.error.json"
    assert keys(s3) == [TALK, record]
    assert json.loads(stored(s3, record)["Body"].read())["error"]["code"] == "unsupported_audio"
    assert counts(handle(event("upload"), {})) == {"found": 1, "skipped": 1}
    assert handle(event("queue-job"), {})["statusCode"] == 200
    asked = handle(event("queue-object"), {})
    assert (asked["statusCode"], json.loads(asked["body"])["error"]["code"]) == (415, "unsupported_audio")
    upload(s3)
    assert counts(handle(event("upload"), {})) == {"found": 1, "done": 1}
    assert keys(s3) == [TALK, RESULT]
    assert api.jobs == 1


@pytest.mark.parametrize("name", ["upload", "queue-job"])
@pytest.mark.parametrize("status", ["429 X", "422 X"])
@pytest.mark.usefixtures("environment")
def test_failure_that_can_be_cured(s3: Any, api: Api, name: str, status: str) -> None:
    """A rate limit or a model that is gone is at least a 500, so that the message comes again, and is then done."""
    upload(s3)
    api.statuses = [status]
    assert new_instance()(event(name), {})["statusCode"] >= 500
    assert keys(s3) == [TALK]
    assert new_instance()(event(name), {})["statusCode"] == 200
    assert keys(s3) == [TALK, RESULT]


def test_request_for_an_object(handle: Handle, s3: Any, api: Api) -> None:
    """A client gets the transcript, made now or before, in its format; options of its own have it made anew."""
    upload(s3)
    reference = {"bucket": BUCKET, "key": TALK}
    first = handle(post(reference), {})
    assert json.loads(first["body"])["text"] == HEARD
    assert handle(post(reference), {})["body"] == first["body"]
    assert handle(post({**reference, "response_format": "text"}), {})["body"] == f"{HEARD}\n"
    assert api.jobs == 1
    for _ in range(2):
        assert handle(post({**reference, "language": "fr"}), {})["statusCode"] == 200
    assert api.jobs == 2
    missing = handle(post({**reference, "key": "none.mp3"}), {})
    assert (missing["statusCode"], json.loads(missing["body"])["error"]["param"]) == (404, "key")


def test_without_keys(environment: pytest.MonkeyPatch) -> None:
    """Without the keys of the storage, an object is a 500 that names the setting."""
    environment.delenv("S3_ACCESS_KEY")
    environment.delenv("S3_SECRET_KEY")
    answer = new_instance()(event("queue-object"), {})
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["param"]) == (500, "S3_ACCESS_KEY")


def test_outputs_as_set(environment: pytest.MonkeyPatch, s3: Any) -> None:
    """Results go where the settings say, with the further formats beside them."""
    environment.setenv("OUTPUT_PREFIX", "out/")
    environment.setenv("OUTPUT_FORMATS", "text,srt")
    upload(s3, "a.mp3")
    new_instance()(post({"bucket": BUCKET, "key": "a.mp3"}), {})
    assert keys(s3) == ["a.mp3", "out/a.mp3.json", "out/a.mp3.srt", "out/a.mp3.txt"]
    assert stored(s3, "out/a.mp3.txt")["Body"].read() == f"{HEARD}\n".encode()


def test_sweep_without_a_queue(handle: Handle, s3: Any, api: Api) -> None:
    """A sweep transcribes what has no transcript, up to its limit, and leaves alone what has one."""
    for name in ("1.mp3", "2.mp3", "3.mp3", "notes.txt"):
        upload(s3, name, hum(1))
    sweep = {"bucket": BUCKET, "limit": 2}
    assert counts(handle(post({"sweep": sweep}), {})) == {"found": 2, "done": 2}
    assert counts(handle(post({"sweep": sweep}), {})) == {"found": 3, "done": 1, "skipped": 2}
    assert counts(handle(post({"sweep": sweep}), {})) == {"found": 3, "skipped": 3}
    assert api.jobs == 3


@pytest.fixture
def queue_url(server: str, environment: pytest.MonkeyPatch) -> Iterator[str]:
    sqs = client("sqs", server)
    url = str(sqs.create_queue(QueueName="jobs")["QueueUrl"])
    for name, value in {
        "QUEUE_URL": url,
        "QUEUE_ACCESS_KEY": ACCESS_KEY,
        "QUEUE_SECRET_KEY": SECRET_KEY,
        "CALLBACK_SECRET": SECRET,
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }.items():
        environment.setenv(name, value)
    yield url
    sqs.delete_queue(QueueUrl=url)


def drain(server: str, queue_url: str) -> list[dict[str, Any]]:
    """The queue's messages, as its trigger posts them."""
    sqs = client("sqs", server)
    events: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        events += [{"httpMethod": "POST", "body": message["Body"]} for message in messages]
    return events


def delayed(server: str, queue_url: str) -> int:
    """The messages that nobody receives yet."""
    name = "ApproximateNumberOfMessagesDelayed"
    answer = client("sqs", server).get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def test_sweep_with_a_queue(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """With a queue, a sweep queues a message for each recording, and each message has one transcribed."""
    names = [f"{number:02}.mp3" for number in range(23)]
    for name in names:
        upload(s3, name, hum(0.1))
    handle = new_instance()
    assert counts(handle(post({"sweep": {"bucket": BUCKET}}), {})) == {"found": 23, "queued": 23}
    assert api.jobs == 0
    for message in drain(server, queue_url):
        assert handle(message, {})["statusCode"] == 200
    assert (api.jobs, keys(s3)) == (23, [*names, *(f"transcripts/{name}.json" for name in names)])


@pytest.mark.usefixtures("queue_url")
def test_sweep_that_is_out_of_time(environment: pytest.MonkeyPatch, s3: Any) -> None:
    """A sweep ends before its time does, with what it has queued until then; the next one finds the rest."""
    for number in range(100):
        upload(s3, f"{number:02}.mp3", b"-")

    def slow_queue(peer: Peer) -> None:
        time.sleep(0.4)
        entries = "".join(
            f"<SendMessageBatchResultEntry><Id>{number}</Id></SendMessageBatchResultEntry>" for number in range(10)
        )
        peer.answer(f"<Result>{entries}</Result>".encode())

    with serve(slow_queue) as queue:
        environment.setenv("QUEUE_URL", queue.url)
        environment.setenv("TIME_LIMIT", "2")
        queued = counts(new_instance()(post({"sweep": {"bucket": BUCKET}}), {}))["queued"]
    assert queued == 10 * len(queue.requests) < 100


def verified(receiver: Loopback) -> tuple[Any, str]:
    """The last callback's body and id, by the openai client's own check of its signature."""
    head, _, body = receiver.requests[-1].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    openai.OpenAI(api_key="none").webhooks.verify_signature(body.decode(), headers, secret=SECRET)
    assert body == body_of(receiver.requests[-1])
    return json.loads(body), {name.lower(): value for name, value in headers.items()}["webhook-id"]


def test_callback_by_way_of_the_queue(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """A request with a callback is queued, and its transcript called back under the id that was answered."""
    upload(s3)
    handle = new_instance()
    with serve(Peer.answer) as receiver:
        answer = handle(post({"bucket": BUCKET, "key": TALK, "callback": receiver.url}), {})
        queued = json.loads(answer["body"])
        assert (answer["statusCode"], queued["status"]) == (202, "queued")
        (message,) = drain(server, queue_url)
        for _ in range(2):
            assert handle(message, {})["statusCode"] == 200
            body, message_id = verified(receiver)
            assert (body["text"], message_id) == (HEARD, queued["id"])
    assert api.jobs == 1


def test_callback_of_a_failure(server: str, queue_url: str, s3: Any) -> None:
    """A request that fails is called back with its error, and its message is done."""
    upload(s3, body=b"<html>no</html>")
    handle = new_instance()
    with serve(Peer.answer) as receiver:
        handle(post({"bucket": BUCKET, "key": TALK, "callback": receiver.url}), {})
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
        assert verified(receiver)[0]["error"]["code"] == "unsupported_audio"


def test_callback_after_a_failure_that_can_be_cured(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """Such a failure has the job queued for later, and is called back, under the same id, when it was the last try."""
    upload(s3)
    api.statuses = ["429 X"] * 4
    handle = new_instance()
    with serve(Peer.answer) as receiver:
        handle(post({"bucket": BUCKET, "key": TALK, "callback": receiver.url}), {})
        (message,) = drain(server, queue_url)
        job = json.loads(message["body"])["job"]
        for attempt in (1, 2, 3):
            later = handle(post({"job": {**job, "attempt": attempt}}), {})
            assert (later["statusCode"], json.loads(later["body"])["id"]) == (202, job["id"])
        assert delayed(server, queue_url) == 3
        assert receiver.requests == []
        assert handle(post({"job": {**job, "attempt": 4}}), {})["statusCode"] == 200
        body, message_id = verified(receiver)
        assert (body["error"]["code"], message_id) == ("rate_limited", job["id"])
    assert keys(s3) == [TALK]


@pytest.mark.usefixtures("queue_url")
def test_callback_of_a_request_that_no_queue_takes(environment: pytest.MonkeyPatch) -> None:
    """A recording in the request, too long for a message, is transcribed at once, answered and called back."""
    audio = base64.b64encode(hum(10)).decode()
    with serve(Peer.answer) as receiver:
        answer = new_instance()(post({"audio": audio, "webhook_url": receiver.url}), {})
        assert answer["statusCode"] == 200
        assert verified(receiver)[0] == json.loads(answer["body"])
        environment.delenv("CALLBACK_SECRET")
        refused = new_instance()(post({"audio": audio, "callback": receiver.url}), {})
        assert json.loads(refused["body"])["error"]["param"] == "CALLBACK_SECRET"


@pytest.mark.usefixtures("queue_url")
@pytest.mark.parametrize("url", ["http://169.254.42.42/", "http://[::1]:9/", "http://10.0.0.1/"])
def test_callback_to_a_private_address(handle: Handle, api: Api, url: str) -> None:
    """A callback to an address that is not public is refused before anything is done."""
    answer = handle(post({"bucket": BUCKET, "key": TALK, "callback": url}), {})
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["param"]) == (400, "callback")
    assert api.jobs == 0
