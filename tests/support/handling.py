"""The handler as a test asks it: a new instance of it, its events, and an API that does what the test says."""

import base64
import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.loopback import Peer

HANDLER = Path(__file__).parents[2] / "handler.py"
VOXTRAL, WHISPER = "voxtral-small-24b-2507", "whisper-large-v3"
HEARD = "And so my fellow Americans ask not what your country can do for you."
# What the handler's environment has, beside what a test sets.
KEY = "11111111-2222-3333-4444-555555555555"

Handle = Callable[[object, object], dict[str, Any]]


class FakeApi:
    """What the API does in a test: which models there are, and how each call is answered."""

    def __init__(self) -> None:
        self.models = [VOXTRAL, WHISPER]
        self.calls: list[str] = []
        self.conversation: Callable[[Peer], None] = lambda peer: peer.answer(json.dumps({"text": HEARD}).encode())

    def __call__(self, peer: Peer) -> None:
        self.calls.append(peer.path)
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": model} for model in self.models]}).encode())
        elif peer.path == "/chat/completions":
            choice = {"message": {"content": HEARD}, "finish_reason": "stop"}
            peer.answer(json.dumps({"choices": [choice]}).encode())
        else:
            self.conversation(peer)


def forget_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of the environment what somebody set there for the function."""
    for name in list(os.environ):
        if name.startswith(("SCW_", "GENERATIVE_", "MODEL", "S3_", "QUEUE_", "OUTPUT_", "AWS_")):
            monkeypatch.delenv(name)


def new_instance() -> Handle:
    spec = importlib.util.spec_from_file_location("handler_of_a_test", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Handle = module.handle
    return function


def end_instance(handle: Handle) -> None:
    """Close the connections to the storage that an instance has kept, as the end of its process would."""
    services = handle.__globals__["_services"].__dict__
    if storage := services.get("storage"):
        while connection := storage._client._take():
            connection.close()


def post(body: object, **fields: object) -> dict[str, object]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"httpMethod": "POST", "path": "/", "headers": {"X-Request-Id": "the-id"}, "body": text, **fields}


def audio(data: bytes) -> dict[str, str]:
    return {"audio": base64.b64encode(data).decode()}


def error_of(answer: dict[str, Any]) -> dict[str, Any]:
    error = json.loads(answer["body"])["error"]
    assert isinstance(error, dict)
    return error
