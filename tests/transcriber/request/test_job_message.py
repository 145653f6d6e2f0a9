"""Job messages: the request that the function queues for itself is the request that it reads back."""

import base64
import json

import pytest

from transcriber.errors import AuthenticationError, RequestError
from transcriber.request.event import HttpRequest
from transcriber.request.job_message import Job, KeptAnswer, is_signed, new_job, read_job, write_job
from transcriber.request.parse import read_request
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request.trigger import Trigger
from transcriber.settings import Account, Settings

SETTINGS = Settings(api_key="key")
AUDIO = base64.b64encode(bytes(range(100))).decode()
SECRET = "an-invented-secret"
CALLBACK = "https://a.example/done"


def parsed(body: str, **query: str) -> TranscriptionRequest:
    request = read_request(
        HttpRequest(method="POST", path="/", headers={}, query=query, body=body, request_id="id"), SETTINGS
    )
    assert isinstance(request, TranscriptionRequest)
    return request


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"url": "https://a.example/b.mp3", "callback": CALLBACK}, {}),
        ({"audio": AUDIO, "webhook_url": CALLBACK, "response_format": "srt", "temperature": 0.5}, {}),
        ({"bucket": "recordings", "key": "a talk (café).mp3", "language": "fr-FR", "prompt": "Names"}, {}),
        ({"input_audio": {"data": AUDIO}, "model": "m", "top_p": 0.5, "max_tokens": 9}, {}),
        ({"url": "https://a.example/b", "response_format": "verbose_json", "timestamp_granularities[]": "segment"}, {}),
        (AUDIO, {"response_format": "text", "language": "en"}),
    ],
)
def test_queued_request_is_the_same_request(body: object, query: dict[str, str]) -> None:
    """Source, options and callback survive the queue, also those of a body that is nothing but base64 text."""
    request = parsed(body if isinstance(body, str) else json.dumps(body), **query)
    queued = parsed(write_job(Job("msg_1", 2), request.to_fields(), SECRET))
    assert (queued.source, queued.options, queued.callback) == (request.source, request.options, request.callback)
    assert (queued.job, queued.trigger, request.trigger) == (Job("msg_1", 2), Trigger.QUEUE, Trigger.HTTP)


def test_ids_differ() -> None:
    """Each job has an id of its own, which may stand in a header."""
    assert new_job().id != new_job().id
    assert read_job(json.loads(write_job(new_job(), {"url": "u"}, SECRET)))[0] is not None


def test_kept_answer_is_read_back() -> None:
    """An answer whose callback is owed travels in the message as it is."""
    job = Job("msg_1", 3, KeptAnswer("text/plain; charset=utf-8", "café \ud800\n"))
    assert read_job(json.loads(write_job(job, {"url": "u"}, SECRET)))[0] == job


def test_signature_is_of_the_whole_job() -> None:
    """A message passes by its signature; another secret, id or request makes it anybody's."""
    fields = json.loads(write_job(Job("msg_1"), {"url": "u", "temperature": 0.1}, SECRET))
    assert is_signed(fields, SECRET)
    assert not is_signed(fields, "another-secret")
    assert not is_signed(fields, None)
    for change in ({"id": "msg_2"}, {"request": {"url": "v", "temperature": 0.1}}, {"attempt": 2}):
        assert not is_signed(fields | {"job": fields["job"] | change}, SECRET)
    signatures: list[object] = [None, "", 1, "\ud800", []]
    for signature in signatures:
        assert not is_signed(fields | {"signature": signature}, SECRET)


def test_own_message_needs_no_token() -> None:
    """With ACCESS_TOKEN, a message that the function has signed passes, and one that is not signed by it is a 401."""
    settings = Settings(api_key="key", access_token="a-token", queue=Account("key", SECRET))

    def read(body: str) -> object:
        http_request = HttpRequest(method="POST", path="/", headers={}, query={}, body=body, request_id="id")
        return read_request(http_request, settings)

    message = write_job(Job("msg_1"), {"url": "https://a.example/b.mp3"}, SECRET)
    assert isinstance(read(message), TranscriptionRequest)
    for forged in (message.replace("b.mp3", "c.mp3"), json.dumps({"job": json.loads(message)["job"]}), '{"job":'):
        with pytest.raises(AuthenticationError):
            read(forged)


def test_request_of_a_client_is_no_job() -> None:
    """A request without a job is left as it is."""
    assert read_job({"url": "u"}) == (None, {"url": "u"})


@pytest.mark.parametrize(
    "job",
    [None, "x", {"id": "a b", "request": {}}, {"id": "a", "attempt": 0, "request": {}}, {"id": "a", "request": "x"}],
)
def test_malformed_job_is_refused(job: object) -> None:
    """A job that this function cannot have queued is an error that names the field."""
    with pytest.raises(RequestError) as caught:
        read_job({"job": job})
    assert caught.value.param == "job"
