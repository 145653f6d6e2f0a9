"""A handler with an API, a storage and a queue of a test's own."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.handling import WHISPER, Handle, forget_settings, new_instance
from support.loopback import serve
from support.object_storage import ACCESS_KEY, REGION, SECRET_KEY, client
from support.triggering import SECRET, Api


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def environment(api: Api, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    forget_settings(monkeypatch)
    with serve(api) as api_server:
        for name, value in {
            "GENERATIVE_API_KEY": "an-invented-key",
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


@pytest.fixture
def handle(environment: pytest.MonkeyPatch, s3: Any) -> Handle:  # noqa: ARG001 # what the instance finds
    return new_instance()


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
