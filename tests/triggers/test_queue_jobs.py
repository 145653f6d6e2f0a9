"""The handler with a queue: sweeps fill it, and requests with a callback are called back once, whatever fails."""

import base64
import json
import time
from typing import Any

import pytest
from support.handling import HEARD, WHISPER, Handle, new_instance
from support.loopback import Peer, serve
from support.object_storage import BUCKET, all_keys, keys, work_keys
from support.recordings import hum
from support.triggering import TALK, Api, counts, drain, post, upload, verified


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


def test_sweep_leaves_to_the_queue_what_is_there(server: str, queue_url: str, s3: Any) -> None:
    """A recording is queued once, until it was begun; one whose record of failure is removed is queued again."""
    upload(s3, "a.mp3", b"<html>no</html>")
    handle = new_instance()
    sweep = post({"sweep": {"bucket": BUCKET}})
    assert counts(handle(sweep, {})) == {"found": 1, "queued": 1}
    assert counts(handle(sweep, {})) == {"found": 1, "skipped": 1}
    upload(s3, "b.mp3", hum(1))
    assert counts(handle(sweep, {})) == {"found": 2, "skipped": 1, "queued": 1}
    for message in drain(server, queue_url):
        assert handle(message, {})["statusCode"] == 200
    s3.delete_object(Bucket=BUCKET, Key="transcripts/a.mp3.error.json")
    assert counts(handle(sweep, {})) == {"found": 2, "skipped": 1, "queued": 1}


def test_removed_recording_leaves_nothing_behind(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """A recording that is removed while it waits is not queued again, and its lease goes."""
    upload(s3)
    api.statuses = ["422 X"]
    assert (
        new_instance()(post({"job": {"id": "a", "request": {"bucket": BUCKET, "key": TALK}}}), {})["statusCode"] == 503
    )
    assert len(work_keys(s3)) == 1
    s3.delete_object(Bucket=BUCKET, Key=TALK)
    assert counts(new_instance()(post({"sweep": {"bucket": BUCKET}}), {})) == {}
    assert (drain(server, queue_url), all_keys(s3)) == ([], [])


def test_job_that_names_the_model_of_the_transcript(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """A queued request for the model that made the plain transcript is called back with that, and costs nothing."""
    upload(s3)
    handle = new_instance()
    assert handle(post({"bucket": BUCKET, "key": TALK}), {})["statusCode"] == 200
    with serve(Peer.answer) as receiver:
        handle(post({"bucket": BUCKET, "key": TALK, "model": WHISPER, "callback": receiver.url}), {})
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
        assert verified(receiver)[0]["text"] == HEARD
    assert api.jobs == 1


def test_sweep_goes_on_where_the_last_one_ended(
    environment: pytest.MonkeyPatch, s3: Any, server: str, queue_url: str
) -> None:
    """A bucket whose finished recordings take more than a sweep's time is swept to its end by those that follow."""
    for number in range(6):
        upload(s3, f"{number}.mp3", hum(1))
    handle = new_instance()
    found = [counts(handle(post({"sweep": {"bucket": BUCKET, "limit": 2}}), {})) for _ in range(4)]
    assert found == [
        {"found": 2, "queued": 2},
        {"found": 2, "queued": 2},
        {"found": 2, "queued": 2},
        {"found": 6, "skipped": 6},
    ]
    assert [json.loads(json.loads(event["body"])["job"]["request"]["key"][0]) for event in drain(server, queue_url)]
    assert environment


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


def past(s3: Any, key: str) -> None:
    """Let the time pass until an object is due."""
    stored = s3.get_object(Bucket=BUCKET, Key=key)
    name = next(name for name in stored["Metadata"] if name.endswith("-not-before"))
    metadata = {**stored["Metadata"], name: "2026-01-01T00:00:00+00:00"}
    s3.put_object(Bucket=BUCKET, Key=key, Body=stored["Body"].read(), Metadata=metadata)


def test_callback_after_a_failure_that_can_be_cured(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """After such a failure the job waits in the storage, a sweep queues it when it is due, and it is called back."""
    upload(s3)
    api.statuses = ["429 X"]
    handle = new_instance()
    with serve(Peer.answer) as receiver:
        queued = json.loads(handle(post({"bucket": BUCKET, "key": TALK, "callback": receiver.url}), {})["body"])
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 202
        assert counts(handle(post({"sweep": {"bucket": BUCKET}}), {})) == {
            "found": 1,
            "skipped": 1,
            "queued": 1,
            "resumed": 1,
        }
        (rest,) = drain(server, queue_url)  # of the recording; the callback is not due yet
        handle = new_instance()  # the first one respects the API's Retry-After
        assert handle(rest, {})["statusCode"] == 200
        assert (api.jobs, receiver.requests) == (2, [])
        past(s3, f"transcripts/.work/jobs/owed/{queued['id']}.json")
        assert counts(handle(post({"sweep": {"bucket": BUCKET}}), {})) == {
            "found": 1,
            "skipped": 1,
            "queued": 1,
            "resumed": 1,
        }
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
        body, message_id = verified(receiver)
        assert (body["text"], message_id) == (HEARD, queued["id"])
    assert (api.jobs, work_keys(s3)) == (2, [])


def test_receiver_that_is_down_costs_no_transcription(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """A finished answer is kept while its receiver is down, and delivered under its id when it is there again."""
    upload(s3)
    handle = new_instance()
    with serve(lambda peer: peer.answer(status="503 X")) as receiver:
        receiver_url = receiver.url
        queued = json.loads(handle(post({"bucket": BUCKET, "key": TALK, "callback": receiver_url}), {})["body"])
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
    with serve(Peer.answer) as receiver:
        past(s3, f"transcripts/.work/jobs/owed/{queued['id']}.json")
        kept = s3.get_object(Bucket=BUCKET, Key=f"transcripts/.work/jobs/owed/{queued['id']}.json")
        body = kept["Body"].read().replace(receiver_url.encode(), receiver.url.encode())
        s3.put_object(Bucket=BUCKET, Key=f"transcripts/.work/jobs/owed/{queued['id']}.json", Body=body)
        handle(post({"sweep": {"bucket": BUCKET}}), {})
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
        answer, message_id = verified(receiver)
        assert (answer["text"], message_id) == (HEARD, queued["id"])
    assert (api.jobs, work_keys(s3)) == (1, [])


@pytest.mark.parametrize("status", ["410 X", "404 X", "302 X"])
def test_receiver_that_refuses_is_not_called_again(server: str, queue_url: str, s3: Any, api: Api, status: str) -> None:
    """A callback that is refused for good is logged and done with; the transcript is stored."""
    upload(s3)
    handle = new_instance()
    with serve(lambda peer: peer.answer(status=status)) as receiver:
        handle(post({"bucket": BUCKET, "key": TALK, "callback": receiver.url}), {})
        (message,) = drain(server, queue_url)
        assert handle(message, {})["statusCode"] == 200
        assert len(receiver.requests) == 1
    assert (api.jobs, keys(s3), work_keys(s3)) == (1, [TALK, f"transcripts/{TALK}.json"], [])


def test_receiver_that_is_down_without_storage(
    server: str, queue_url: str, environment: pytest.MonkeyPatch, api: Api
) -> None:
    """Where nothing can be kept, the answer travels in the message of the next attempt, and is paid for once."""
    environment.setenv("MINUTE_SECONDS", "0.1")
    handle = new_instance()
    statuses = ["503 X"] * 5 + ["200 OK"]
    audio = base64.b64encode(hum(1)).decode()
    with serve(lambda peer: peer.answer(status=statuses.pop(0))) as receiver:
        queued = json.loads(handle(post({"audio": audio, "callback": receiver.url}), {})["body"])
        for _ in range(2):
            (message,) = drain(server, queue_url)
            assert handle(message, {})["statusCode"] == 200
        body, message_id = verified(receiver)
        assert (body["text"], message_id) == (HEARD, queued["id"])
    assert (api.jobs, drain(server, queue_url)) == (1, [])


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


def test_client_whose_receiver_is_down(environment: pytest.MonkeyPatch, api: Api, queue_url: str) -> None:
    """Without a queue and a storage, a callback that is not taken is logged, and the client has its transcript."""
    for name in ("QUEUE_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
        environment.delenv(name)
    assert queue_url
    with serve(lambda peer: peer.answer(status="503 X")) as receiver:
        audio = base64.b64encode(hum(1)).decode()
        answer = new_instance()(post({"audio": audio, "callback": receiver.url}), {})
    assert (answer["statusCode"], json.loads(answer["body"])["text"], api.jobs) == (200, HEARD, 1)
