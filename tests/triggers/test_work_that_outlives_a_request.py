"""The handler with recordings that one request does not finish: what is paid is kept, and work goes on from there."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from support.handling import HEARD, WHISPER, Handle, new_instance
from support.loopback import Peer, serve
from support.object_storage import BUCKET, all_keys, client, keys, work_keys
from support.recordings import hum
from support.triggering import RESULT, TALK, counts, event, post, stored, upload

REQUEST = {"bucket": BUCKET, "key": TALK}
SWEEP = {"sweep": {"bucket": BUCKET}}
FAILURE = f"transcripts/{TALK}.error.json"
# Twelve seconds, in four chunks of three.
SECONDS, CHUNK_MINUTES = 12, "0.05"

Answer = Callable[[Peer, int], None]


class ChunkApi:
    """An API that counts the chunks that it transcribes; `answer` is called for the number of each call, from 1."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer
        self.calls = 0
        self.paid: list[int] = []

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": WHISPER}]}).encode())
            return
        self.calls += 1
        number = self.calls
        if self.answer is not None:
            self.answer(peer, number)
        else:
            self.pay(peer)

    def pay(self, peer: Peer) -> None:
        self.paid.append(self.calls)
        peer.answer(json.dumps({"text": HEARD}).encode())


@pytest.fixture
def start(environment: pytest.MonkeyPatch, s3: Any) -> Callable[..., Handle]:
    """A new instance that calls an API, with settings of a test."""
    upload(s3, body=hum(SECONDS))

    def start(api_url: str, **settings: str) -> Handle:
        environment.setenv("GENERATIVE_API_URL", api_url)
        environment.setenv("CHUNK_MINUTES", CHUNK_MINUTES)
        environment.setenv("MINUTE_SECONDS", "1")
        for name, value in settings.items():
            environment.setenv(name, value)
        return new_instance()

    return start


def error(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(answer["body"])["error"])


def parts(s3: Any) -> list[str]:
    return [key for key in work_keys(s3) if "/parts/" in key]


def test_chunk_that_fails_does_not_end_the_others(start: Callable[..., Handle], s3: Any) -> None:
    """A run goes to its end although a chunk fails, says what is missing, and the next one transcribes that alone."""
    api = ChunkApi(lambda peer, number: peer.answer(b"{}", status="402 X") if number == 4 else api.pay(peer))
    with serve(api) as server:
        answer = start(server.url, PARALLEL_CALLS="1")(post(REQUEST), {})
        assert (answer["statusCode"], error(answer)["code"]) == (503, "budget_exhausted")
        assert (len(parts(s3)), len(api.paid)) == (3, 3)
        answer = start(server.url)(post(REQUEST), {})
        assert (answer["statusCode"], json.loads(answer["body"])["duration"]) == (200, SECONDS)
    assert (len(api.paid), keys(s3), work_keys(s3)) == (4, [TALK, RESULT], [])


def test_refused_chunk_is_a_failure_on_record(start: Callable[..., Handle], s3: Any) -> None:
    """A chunk that the API refuses for good is recorded with its minutes, is asked of it once, and parts are kept."""
    refusal = b'{"error": {"message": "The audio cannot be decoded."}}'
    # Twice, since the first refusal may be about the form of the answer that is requested.
    api = ChunkApi(lambda peer, number: peer.answer(refusal, status="400 X") if number in {2, 3} else api.pay(peer))
    with serve(api) as server:
        for _ in range(2):
            assert start(server.url, PARALLEL_CALLS="1")(event("queue-job"), {})["statusCode"] == 200
            assert (len(api.paid), api.calls) == (3, 5)
        record = json.loads(stored(s3, FAILURE)["Body"].read())["error"]
        assert (record["code"], "Missing: 0:03 to 0:06." in record["message"]) == ("refused_by_api", True)
        assert len(parts(s3)) == 3
        s3.delete_object(Bucket=BUCKET, Key=FAILURE)
        assert counts(start(server.url)(post(SWEEP), {})) == {"found": 1, "done": 1}
    assert (len(api.paid), keys(s3), work_keys(s3)) == (4, [TALK, RESULT], [])


def slow(seconds: float) -> Answer:
    def answer(peer: Peer, _number: int) -> None:
        time.sleep(seconds)
        peer.answer(json.dumps({"text": HEARD}).encode())

    return answer


@pytest.mark.parametrize("body", [REQUEST, SWEEP], ids=["client", "sweep"])
def test_recording_that_takes_several_requests(start: Callable[..., Handle], s3: Any, body: dict[str, Any]) -> None:
    """Each request adds what fits its time, and a client is told how far it is; every chunk is paid for once."""
    api = ChunkApi(slow(2.2))
    answers = []
    with serve(api) as server:
        handle = start(server.url, TIME_LIMIT="6", PARALLEL_CALLS="1")
        for _ in range(5):
            before = len(parts(s3))
            answers.append(handle(post(body), {}))
            if RESULT in keys(s3):
                break
            assert len(parts(s3)) > before
            if body is REQUEST:
                assert (answers[-1]["statusCode"], error(answers[-1])["code"]) == (504, "incomplete")
                assert "of 0:12 is transcribed" in error(answers[-1])["message"]
                assert int(answers[-1]["headers"]["Retry-After"]) >= 1
    assert answers[-1]["statusCode"] == 200
    assert len(answers) > 1
    assert (api.calls, work_keys(s3)) == (4, [])


def test_rest_of_a_queued_job_is_one_message(
    start: Callable[..., Handle], queue_url: str, server: str, s3: Any
) -> None:
    """A message whose work goes on by another one is done with: it is not delivered again beside that."""
    api = ChunkApi(slow(2.5))
    with serve(api) as api_server:
        handle = start(api_server.url, TIME_LIMIT="8", PARALLEL_CALLS="1")
        answer = handle(event("queue-job"), {})
        assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"status": "in_progress"})
    assert 0 < len(parts(s3)) < 4
    names = ["ApproximateNumberOfMessages"]
    attributes = client("sqs", server).get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    assert attributes == {"ApproximateNumberOfMessages": "1"}


@pytest.mark.parametrize("name", ["queue-job", "upload"])
def test_message_that_met_the_quota_is_queued_anew(
    start: Callable[..., Handle], queue_url: str, server: str, name: str
) -> None:
    """A run that the quota let add nothing is no failed delivery, of which a message has few."""
    message = event("queue-job") if name == "queue-job" else {"Records": [created(TALK)]}
    with serve(ChunkApi(lambda peer, _number: peer.answer(b"{}", status="429 X", Retry_After="60"))) as api_server:
        answer = start(api_server.url, TIME_LIMIT="4")(message if name == "queue-job" else post(message), {})
        assert answer["statusCode"] in {200, 202}
    names = ["ApproximateNumberOfMessages"]
    attributes = client("sqs", server).get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    assert attributes == {"ApproximateNumberOfMessages": "1"}


def created(key: str) -> dict[str, object]:
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": quote(key)}}}


def test_options_have_results_of_their_own(start: Callable[..., Handle], s3: Any) -> None:
    """A request with options that change the words replaces no transcript, and is not answered with the plain one."""
    api = ChunkApi()
    with serve(api) as server:
        handle = start(server.url)
        for _ in range(2):
            for words in "{}", '{"prompt": "Names"}', '{"language": "fr"}':
                assert handle(post(REQUEST | json.loads(words)), {})["statusCode"] == 200
        assert len(api.paid) == 3 * 4
        for words in f'{{"model": "{WHISPER}"}}', '{"temperature": 0}', '{"top_p": 1}':
            assert handle(post(REQUEST | json.loads(words)), {})["statusCode"] == 200
        assert len(api.paid) == 3 * 4
    assert len([key for key in keys(s3) if key.startswith("transcripts/")]) == 3


def test_old_words_are_not_those_of_new_audio(start: Callable[..., Handle], s3: Any) -> None:
    """Audio that is replaced while it is transcribed has its own transcript after the next sweep."""

    def replace_audio(peer: Peer, number: int) -> None:
        if number == 4:
            upload(s3, body=hum(6))
        api.pay(peer)

    api = ChunkApi(replace_audio)
    with serve(api) as server:
        handle = start(server.url, PARALLEL_CALLS="1")
        handle(post(SWEEP), {})
        assert counts(handle(post(SWEEP), {})) == {"found": 1, "done": 1}
        assert counts(handle(post(SWEEP), {})) == {"found": 1, "skipped": 1}
    assert json.loads(stored(s3, RESULT)["Body"].read())["duration"] == 6


def test_waiting_work_is_left_alone_until_it_is_due(start: Callable[..., Handle], s3: Any) -> None:
    """A used-up budget has the recording wait: messages are acknowledged, and sweeps pass it over, until it is due."""
    api = ChunkApi(lambda peer, _number: peer.answer(b"{}", status="402 X"))
    with serve(api) as server:
        assert start(server.url)(event("queue-job"), {})["statusCode"] == 503
        calls = api.calls
        assert start(server.url)(event("queue-job"), {})["statusCode"] == 202
        assert counts(start(server.url)(post(SWEEP), {})) == {"found": 1, "skipped": 1}
        assert api.calls == calls
        answer = start(server.url)(post(REQUEST), {})  # who waits for the answer is not put off
        assert error(answer)["code"] == "budget_exhausted"
        time.sleep(15)  # the minute lasts a second here
        api.answer = None
        assert counts(start(server.url)(post(SWEEP), {})) == {"found": 1, "skipped": 1, "resumed": 1, "done": 1}
    assert FAILURE not in all_keys(s3)


def test_account_that_fails_ends_a_sweep(start: Callable[..., Handle], s3: Any) -> None:
    """What every recording would meet ends a sweep at the first one, with its cause, and leaves no record."""
    for number in range(3):
        upload(s3, f"{number}.wav", hum(1))
    api = ChunkApi(lambda peer, _number: peer.answer(b"{}", status="401 X"))
    with serve(api) as server:
        answer = start(server.url)(post(SWEEP), {})
    assert (answer["statusCode"], error(answer)["param"], api.calls) == (500, "GENERATIVE_API_KEY", 1)
    assert not any(key.endswith(".error.json") for key in all_keys(s3))


def test_time_limit_that_no_chunk_fits(start: Callable[..., Handle], s3: Any) -> None:
    """A recording whose chunks take longer than a request may is recorded after five attempts that added nothing."""
    api = ChunkApi(slow(3))
    with serve(api) as server:
        handle = start(server.url, TIME_LIMIT="1", MINUTE_SECONDS="0.01")
        for _ in range(12):
            handle(post(SWEEP), {})
            if FAILURE in keys(s3):
                break
            time.sleep(0.7)
    record = json.loads(stored(s3, FAILURE)["Body"].read())["error"]
    assert record["code"] == "never_succeeded"
    assert "TIME_LIMIT" in record["message"]
    assert "Missing: 0:00 to 0:12" in record["message"]
    assert 5 <= api.calls <= 5 * 2


def test_unforeseen_failure_is_that_of_one_object(
    start: Callable[..., Handle], s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An object at which the function itself fails ends no sweep; the log has its key, and other objects are done."""
    upload(s3, "0.wav", hum(1))

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with serve(ChunkApi()) as server:
        handle = start(server.url)
        monkeypatch.setattr("transcriber.transcription.recording.identify", fail)
        handle(post(SWEEP), {})
        monkeypatch.undo()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    failed = [line["key"] for line in lines if line.get("error") == "ZeroDivisionError" and line["message"] == "object"]
    assert failed == ["0.wav", TALK]


def test_client_that_meets_another_request(start: Callable[..., Handle], s3: Any) -> None:
    """While another request transcribes the same version, a client gets a 503 with a time; a message is done with."""
    with serve(ChunkApi(slow(1))) as server, ThreadPoolExecutor(1) as pool:
        handle, other = start(server.url), start(server.url)
        first = pool.submit(handle, post(REQUEST), {})
        while not any("/leases/" in key for key in work_keys(s3)):
            time.sleep(0.05)
        answer = other(post(REQUEST), {})
        assert (answer["statusCode"], error(answer)["code"]) == (503, "in_progress")
        assert 1 <= int(answer["headers"]["Retry-After"]) <= 30
        assert other(event("queue-job"), {})["statusCode"] == 202
        assert first.result()["statusCode"] == 200


def test_results_of_an_earlier_version_are_read(start: Callable[..., Handle], s3: Any) -> None:
    """A transcript that was stored without a marker is not made again; one with options is no plain transcript."""
    etag = upload(s3)
    document = json.dumps({"text": "Old.", "model": WHISPER, "duration": 1, "language": None, "segments": []}).encode()
    with serve(ChunkApi()) as server:
        handle = start(server.url)
        s3.put_object(Bucket=BUCKET, Key=RESULT, Body=document, Metadata={"audio-etag": etag, "audio-owner": "x"})
        assert json.loads(handle(post(REQUEST), {})["body"])["text"] == "Old."
        assert json.loads(handle(post(REQUEST | {"model": WHISPER}), {})["body"])["text"] == "Old."
        assert counts(handle(post(SWEEP), {})) == {"found": 1, "skipped": 1}
        assert counts(handle(post(SWEEP), {})) == {"found": 1, "skipped": 1}
        options = {"audio-etag": etag, "audio-owner": "x", "audio-options": "0123456789abcdef"}
        s3.put_object(Bucket=BUCKET, Key=RESULT, Body=document, Metadata=options)
        assert json.loads(handle(post(REQUEST), {})["body"])["text"] != "Old."


def test_several_uploads_mind_the_time(start: Callable[..., Handle], s3: Any) -> None:
    """An event with more recordings than fit the time is delivered again, and what was done is not done again."""
    names = [f"{number}.wav" for number in range(3)]
    for name in names:
        upload(s3, name, hum(1))
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": name}}}
        for name in names
    ]
    api = ChunkApi(slow(2.5))
    with serve(api) as server:
        handle = start(server.url, TIME_LIMIT="5")
        statuses: list[int] = []
        while not statuses or statuses[-1] >= 500:
            statuses.append(handle(post({"Records": records}), {})["statusCode"])
            assert len(statuses) < 6
    assert len(statuses) > 1
    assert (statuses[-1], api.calls) == (200, 3)
