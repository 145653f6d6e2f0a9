"""The header Idempotency-Key: a request that is sent again has the first one's answer, or its job."""

import base64
import json
from threading import Event, Thread
from typing import Any

import pytest
from support.handling import HEARD, Handle, new_instance
from support.loopback import Peer, serve
from support.object_storage import BUCKET, all_keys
from support.recordings import hum
from support.triggering import TALK, Api, drain, post, upload

ENCODED = {seconds: base64.b64encode(hum(seconds)).decode() for seconds in (1, 2)}
OBJECT = {"bucket": BUCKET, "key": TALK}


@pytest.fixture(autouse=True)
def place(environment: pytest.MonkeyPatch, s3: Any) -> None:
    """A place for answers, and a recording."""
    upload(s3)
    environment.setenv("OUTPUT_BUCKET", BUCKET)


def send(handle: Handle, body: dict[str, Any], key: str = "a key", path: str = "/") -> Any:
    answer = handle({**post(body), "path": path, "headers": {"Idempotency-Key": key}}, {})
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"].get("Idempotent-Replayed")


def inline(seconds: int = 1) -> dict[str, Any]:
    return {"audio": ENCODED[seconds]}


@pytest.mark.usefixtures("queue_url")
def test_job_that_is_requested_twice(server: str, queue_url: str, api: Api) -> None:
    """The same request again has the first one's job, as it is by then, and nothing is paid twice."""
    handle = new_instance()
    status, job, replayed = send(handle, {**inline(), "async": True})
    assert (status, replayed) == (202, None)
    assert send(handle, {**inline(), "async": True}) == (202, job, "true")
    (message,) = drain(server, queue_url)
    assert handle(message, {})["statusCode"] == 200
    paid = api.jobs
    assert send(new_instance(), {**inline(), "async": True}) == (202, {**job, "status": "completed"}, "true")
    assert send(handle, {**inline(), "async": True}, key="another key")[1]["id"] != job["id"]
    assert api.jobs == paid


@pytest.mark.parametrize(
    "other", [inline(2), {**inline(), "language": "fr"}, {**inline(), "async": True}, OBJECT, {**inline(), "audio": ""}]
)
def test_another_request_under_the_key(other: dict[str, Any]) -> None:
    """Another request under a key that is taken is a 422; one that is malformed is a 400 as ever."""
    handle = new_instance()
    assert send(handle, inline())[0] == 200
    status, body, _ = send(handle, other)
    if other.get("audio") == "":
        assert status == 400
        return
    assert (status, body["error"]["code"], body["error"]["param"]) == (
        422,
        "idempotency_key_reused",
        "Idempotency-Key",
    )


@pytest.mark.parametrize("response_format", ["json", "text", "srt"])
def test_plain_request_has_the_same_answer_again(api: Api, response_format: str) -> None:
    """A plain request under a key is paid for once, and answered the same in each of its formats."""
    handle = new_instance()
    event = {**post({**inline(), "response_format": response_format}), "headers": {"Idempotency-Key": "a"}}
    first, again = handle(event, {}), new_instance()(event, {})
    paid = api.jobs
    assert (first["body"], first["headers"]["Content-Type"]) == (again["body"], again["headers"]["Content-Type"])
    assert (first["statusCode"], again["statusCode"], again["headers"]["Idempotent-Replayed"]) == (200, 200, "true")
    assert handle(event, {})["body"] == first["body"]
    assert api.jobs == paid


def test_chat_completion_under_a_key(api: Api) -> None:
    """A chat completion has the same id again."""
    audio = {"type": "input_audio", "input_audio": {"data": ENCODED[1], "format": "wav"}}
    body = {"model": "whisper-large-v3", "messages": [{"role": "user", "content": [audio]}]}
    handle = new_instance()
    _, first, _ = send(handle, body, path="/v1/chat/completions")
    paid = api.jobs
    assert send(handle, body, path="/v1/chat/completions") == (200, first, "true")
    assert api.jobs == paid


def test_error_for_good_is_answered_again(api: Api) -> None:
    """An error that no repetition cures is the answer, too; one that it may cure leaves the key free."""
    handle = new_instance()
    body = {"bucket": BUCKET, "key": "none.mp3"}
    _, first, _ = send(handle, body)
    assert send(handle, body) == (404, first, "true")
    api.statuses = ["429 X"]
    assert send(handle, OBJECT, key="b")[0] == 429
    status, body, replayed = send(new_instance(), OBJECT, key="b")
    assert (status, body["text"], replayed) == (200, HEARD, None)


def test_first_request_at_work(environment: pytest.MonkeyPatch) -> None:
    """While the first request is at work and has kept nothing, the same one is a 409 with Retry-After."""
    begun, may_end = Event(), Event()

    def wait(peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(b'{"data": [{"id": "whisper-large-v3"}]}')
            return
        begun.set()
        may_end.wait(30)
        peer.answer(json.dumps({"text": HEARD}).encode())

    answers: list[Any] = []
    with serve(wait) as slow:
        environment.setenv("GENERATIVE_API_URL", slow.url)
        handle = new_instance()
        first = Thread(target=lambda: answers.append(send(handle, OBJECT)))
        first.start()
        assert begun.wait(30)
        answer = new_instance()({**post(OBJECT), "headers": {"Idempotency-Key": "a key"}}, {})
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (409, "5")
        assert json.loads(answer["body"])["error"]["code"] == "idempotency_in_progress"
        may_end.set()
        first.join(30)
    assert answers[0][0] == 200
    assert send(new_instance(), OBJECT) == (200, answers[0][1], "true")


def test_first_request_that_was_killed(environment: pytest.MonkeyPatch, s3: Any) -> None:
    """A first request that left nothing holds its key for no longer than a request may take."""
    environment.setenv("TIME_LIMIT", "5")
    handle = new_instance()
    assert send(handle, OBJECT)[0] == 200
    (key,) = [key for key in all_keys(s3) if "/jobs/keys/" in key]
    kept = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    for at, expected in ((kept["at"], 409), ("2026-01-01T00:00:00+00:00", 200)):
        left = json.dumps({**kept, "at": at, "answer": None}).encode()
        s3.put_object(Bucket=BUCKET, Key=key, Body=left)
        assert send(handle, OBJECT)[0] == expected


@pytest.mark.usefixtures("queue_url")
def test_deleted_job_frees_its_key() -> None:
    """Under the key of a deleted job, the same request is a new job."""
    handle = new_instance()
    body = {**inline(), "async": True}
    _, job, _ = send(handle, body)
    path = f"/v1/audio/transcriptions/{job['id']}"
    assert handle({"httpMethod": "DELETE", "path": path}, {})["statusCode"] == 200
    status, other, replayed = send(handle, body)
    assert (status, other["id"] == job["id"], replayed) == (202, False, None)


@pytest.mark.parametrize("key", [" ", "x" * 256])
def test_key_that_is_none(key: str) -> None:
    """A key that is empty, or too long, is a 400."""
    status, body, _ = send(new_instance(), inline(), key=key)
    assert (status, body["error"]["param"]) == (400, "Idempotency-Key")


def test_key_without_a_place(environment: pytest.MonkeyPatch, api: Api) -> None:
    """Where no answer can be kept, the request is a 400 that names what to set, and nothing is paid."""
    environment.delenv("OUTPUT_BUCKET")
    status, body, _ = send(new_instance(), inline())
    assert (status, body["error"]["param"], "OUTPUT_BUCKET" in body["error"]["message"]) == (
        400,
        "Idempotency-Key",
        True,
    )
    assert api.jobs == 0
