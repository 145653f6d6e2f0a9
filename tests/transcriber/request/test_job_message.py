"""Job messages: the request that the function queues for itself is the request that it reads back."""

import base64
import json

import pytest

from transcriber.errors import RequestError
from transcriber.request.event import HttpRequest
from transcriber.request.job_message import Job, new_job, read_job, write_job
from transcriber.request.parse import read_request
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request.trigger import Trigger
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key")
AUDIO = base64.b64encode(bytes(range(100))).decode()
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
    queued = parsed(write_job(Job("msg_1", 2), request.to_fields()))
    assert (queued.source, queued.options, queued.callback) == (request.source, request.options, request.callback)
    assert (queued.job, queued.trigger, request.trigger) == (Job("msg_1", 2), Trigger.QUEUE, Trigger.HTTP)


def test_ids_differ() -> None:
    """Each job has an id of its own, which may stand in a header."""
    assert new_job().id != new_job().id
    assert read_job(json.loads(write_job(new_job(), {"url": "u"})))[0] is not None


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
