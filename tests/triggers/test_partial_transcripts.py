"""Objects of which a chunk cannot be transcribed: what there is goes to requests that allow gaps, and to no others."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from support.handling import HEARD, WHISPER, Handle, new_instance
from support.loopback import Loopback, Peer, body_of, serve
from support.object_storage import BUCKET, all_keys, client, keys, work_keys
from support.recordings import hum
from support.triggering import RESULT, TALK, counts, drain, event, post, stored, upload

REQUEST = {"bucket": BUCKET, "key": TALK}
GAPS = {**REQUEST, "allow_partial": True}
SWEEP = {"sweep": {"bucket": BUCKET}}
FAILURE = f"transcripts/{TALK}.error.json"
MISSING = [[3.4, 7.15]]
# Four chunks of three seconds.
SECONDS, CHUNK_MINUTES = 12, "0.05"


class SpoiltApi:
    """An API that answers the second chunk that it receives, however often, with `status`; None cures it."""

    def __init__(self, status: str | None = "400 X") -> None:
        self.status = status
        self.paid = 0
        self._bodies: list[int] = []
        self.failed = 0

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": WHISPER}]}).encode())
            return
        body = body_of(peer.request)
        start = body.index(b"RIFF")
        size = int.from_bytes(body[start + 4 : start + 8], "little") + 8
        audio = hash(body[start : start + size])
        if audio not in self._bodies:
            self._bodies.append(audio)
        if self._bodies.index(audio) == 1 and self.status is not None:
            self.failed += 1
            peer.answer(b'{"error": {"message": "The audio cannot be decoded."}}', status=self.status)
        else:
            self.paid += 1
            peer.answer(json.dumps({"text": HEARD}).encode())


def hum_with_pauses() -> bytes:
    """Each chunk has another length of silence, so that it is known again."""
    return hum(SECONDS, pauses=[(1, 1.1), (4, 4.3), (7, 7.5), (10, 10.7)])


Start = Callable[..., Handle]


@pytest.fixture
def start(environment: pytest.MonkeyPatch, s3: Any) -> Start:
    """A new instance that calls an API, with settings of a test."""
    upload(s3, body=hum_with_pauses())

    def start(server: Loopback, **settings: str) -> Handle:
        environment.setenv("GENERATIVE_API_URL", server.url)
        environment.setenv("CHUNK_MINUTES", CHUNK_MINUTES)
        environment.setenv("PARALLEL_CALLS", "1")
        environment.setenv("MINUTE_SECONDS", "1")
        environment.setenv("MODELS", WHISPER)
        for name, value in settings.items():
            environment.setenv(name, value)
        return new_instance()

    return start


def body_of_answer(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(answer["body"]))


def own_results(s3: Any) -> list[str]:
    """The keys beside the recording, the plain result and the record of the failure."""
    return [key for key in keys(s3) if key not in {TALK, RESULT, FAILURE}]


def test_partial_result_has_keys_of_its_own(start: Start, s3: Any) -> None:
    """What is stored for a request that allows gaps never stands where a whole transcript would."""
    api = SpoiltApi()
    with serve(api) as server:
        handle = start(server, OUTPUT_FORMATS="srt,text")
        answer = handle(post(GAPS), {})
        body = body_of_answer(answer)
        assert (answer["statusCode"], body["missing"]) == (200, MISSING)
        assert body["text"] == f"{HEARD} […] {HEARD} {HEARD}"
        assert RESULT not in keys(s3)
        document, srt, text = own_results(s3)
        assert document.startswith(f"transcripts/{TALK}.")
        assert document.removesuffix(".json") == srt.removesuffix(".srt") == text.removesuffix(".txt")
        assert json.loads(stored(s3, document)["Body"].read())["missing"] == MISSING
        assert "[…]" in stored(s3, srt)["Body"].read().decode()
        assert "[…]" in stored(s3, text)["Body"].read().decode()
        # The failure stays on record, for everybody else.
        assert "Missing: 0:03 to 0:07." in stored(s3, FAILURE)["Body"].read().decode()


def test_partial_result_is_for_those_who_allow_it(start: Start, s3: Any) -> None:
    """Others get the record of the failure, and so does a sweep; those who allow gaps get what there is, at no cost."""
    api = SpoiltApi()
    with serve(api) as server:
        handle = start(server)
        assert handle(post(REQUEST), {})["statusCode"] == 400
        paid = (api.paid, api.failed)
        assert own_results(s3) == []  # nobody has allowed it yet
        for response_format in ("json", "verbose_json"):
            body = body_of_answer(handle(post({**GAPS, "response_format": response_format}), {}))
            assert body["missing"] == MISSING
        assert handle(post({**GAPS, "response_format": "vtt"}), {})["body"].count("[…]") == 1
        assert len(own_results(s3)) == 1
        answer = handle(post(REQUEST), {})
        assert (answer["statusCode"], "error" in body_of_answer(answer)) == (400, True)
        assert counts(handle(post(SWEEP), {})) == {"found": 1, "skipped": 1}
        assert (api.paid, api.failed) == paid
        assert RESULT not in keys(s3)


def test_whole_transcript_replaces_a_partial_one(start: Start, s3: Any) -> None:
    """Once the record is removed, the missing chunk alone is transcribed, and nothing is left of the partial result."""
    api = SpoiltApi()
    with serve(api) as server:
        handle = start(server, OUTPUT_FORMATS="srt")
        assert body_of_answer(handle(post(GAPS), {}))["missing"] == MISSING
        api.status = None
        s3.delete_object(Bucket=BUCKET, Key=FAILURE)
        assert counts(handle(post(SWEEP), {})) == {"found": 1, "done": 1}
        assert (api.paid, work_keys(s3)) == (4, [])
        assert keys(s3) == [TALK, RESULT, f"transcripts/{TALK}.srt"]
        body = body_of_answer(handle(post(GAPS), {}))
        assert ("missing" in body, body["text"]) == (False, " ".join([HEARD] * 4))


def test_whole_transcript_serves_those_who_would_take_gaps(start: Start, s3: Any) -> None:
    """A whole transcript is stored once, at the plain key, whether gaps were allowed or not."""
    api = SpoiltApi(None)
    with serve(api) as server:
        handle = start(server)
        for request in (GAPS, REQUEST, GAPS):
            assert "missing" not in body_of_answer(handle(post(request), {}))
    assert (api.paid, keys(s3)) == (4, [TALK, RESULT])


def test_failure_that_passes_is_answered_and_tried_again(start: Start, s3: Any) -> None:
    """A client has what there is when the API fails for one chunk; nothing is recorded, and a sweep completes it."""
    api = SpoiltApi("500 X")
    with serve(api) as server:
        handle = start(server, TIME_LIMIT="8")
        body = body_of_answer(handle(post(GAPS), {}))
        assert body["missing"] == MISSING
        assert keys(s3) == [TALK]
        answer = handle(post(REQUEST), {})
        assert answer["statusCode"] >= 500
        api.status = None
        assert body_of_answer(handle(post(REQUEST), {}))["duration"] == SECONDS
    assert (api.paid, keys(s3), work_keys(s3)) == (4, [TALK, RESULT], [])


def test_queued_message_allows_gaps(start: Start, s3: Any) -> None:
    """A message with the option is done with at once: the partial result is stored, and it is not delivered again."""
    api = SpoiltApi()
    message = event("queue-job")
    job = json.loads(message["body"])
    job["job"]["request"]["allow_partial"] = True
    message["body"] = json.dumps(job)
    with serve(api) as server:
        handle = start(server)
        for _ in range(2):
            answer = handle(message, {})
            assert (answer["statusCode"], body_of_answer(answer)["missing"]) == (200, MISSING)
        assert len(own_results(s3)) == 1
        assert api.paid == 3


def test_callback_gets_the_partial_transcript(start: Start, queue_url: str, server: str) -> None:
    """The option travels through the queue, and the receiver gets the transcript with its gap."""
    received: list[bytes] = []

    def receive(peer: Peer) -> None:
        received.append(body_of(peer.request))
        peer.answer(b"")

    with serve(SpoiltApi()) as api_server, serve(receive) as receiver:
        handle = start(api_server)
        answer = handle(post({**GAPS, "callback": receiver.url}), {})
        assert answer["statusCode"] == 202
        sqs = client("sqs", server)
        (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
        assert handle({"httpMethod": "POST", "body": message["Body"]}, {})["statusCode"] == 200
    (body,) = received
    assert json.loads(body)["missing"] == MISSING


def test_lease_that_is_exhausted_leaves_what_there_is(start: Start, s3: Any) -> None:
    """After attempts that were all killed, the record and the partial transcript are made of the parts alone."""
    api = SpoiltApi()
    with serve(api) as server:
        handle = start(server, TIME_LIMIT="8")
        api.status = "500 X"
        handle(post(REQUEST), {})  # parts are kept
        lease = f"transcripts/.work/leases/{TALK}.json"
        s3.put_object(
            Bucket=BUCKET,
            Key=lease,
            Body=b"{}",
            Metadata={
                "audio-etag": upload_etag(s3),
                "lease-attempts": "5",
                "lease-parts": "3",
                "lease-reason": "it was killed",
            },
        )
        body = body_of_answer(handle(post(GAPS), {}))
    assert body["missing"][0] == MISSING[0]
    assert "it was killed" in stored(s3, FAILURE)["Body"].read().decode()
    assert RESULT not in keys(s3)


def upload_etag(s3: Any) -> str:
    return str(s3.head_object(Bucket=BUCKET, Key=TALK)["ETag"]).strip('"')


@pytest.mark.parametrize("is_inline", [False, True], ids=["object", "inline"])
def test_job_that_allows_gaps_is_completed(
    start: Start,
    queue_url: str,
    server: str,
    s3: Any,
    is_inline: bool,  # noqa: FBT001
) -> None:
    """A job with the option is completed, with warnings, and its content has the gap; deleted, it leaves nothing."""
    source = {"audio": base64.b64encode(hum_with_pauses()).decode()} if is_inline else REQUEST
    with serve(SpoiltApi()) as api_server:
        handle = start(api_server, OUTPUT_BUCKET=BUCKET)
        answer = handle(post({**source, "allow_partial": True, "async": True}), {})
        path = answer["headers"]["Location"]
        for message in drain(server, queue_url):
            assert handle(message, {})["statusCode"] == 200
        job = body_of_answer(handle({"httpMethod": "GET", "path": path}, {}))
        assert (job["status"], len(job["warnings"])) == ("completed", 1)
        content = handle({"httpMethod": "GET", "path": f"{path}/content"}, {})
        assert body_of_answer(content)["missing"] == MISSING
        assert content["headers"]["X-Transcript-Warnings"] == "1"
        assert handle({"httpMethod": "DELETE", "path": path}, {})["statusCode"] in {200, 204}
        if is_inline:
            left = [key for key in all_keys(s3) if key.startswith("transcripts/") and "[" not in key]
            assert not [key for key in left if "/partials/" in key or key.endswith((".srt", "recording.json"))]
