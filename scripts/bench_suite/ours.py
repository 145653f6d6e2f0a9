"""The function itself, through its handler and an event of the platform's shape."""

import json
from typing import Any

from bench_suite.api_server import MODELS
from bench_suite.work import KEY, Transcribe, Work
from emulator.processes import LOOPBACK


class NoTranscriptError(Exception):
    """The function answered with an error, which is the message."""


def environment(api_url: str) -> dict[str, str]:
    """The function's settings: only what differs from the defaults."""
    return {
        "GENERATIVE_API_KEY": KEY,
        "GENERATIVE_API_URL": api_url,
        "ALLOWED_PRIVATE_HOSTS": LOOPBACK,
        # The scripts send a recording in one call, and so does the function where the API takes it: the same work.
        "CHUNK_MINUTES": "30",
    }


def make_transcribe(_api_url: str) -> Transcribe:
    """The handler, imported now, with the settings that are in the environment."""
    from handler import handle  # noqa: PLC0415 # reads the environment at its import

    def transcribe(work: Work) -> str:
        answer = handle(_event(work), None)
        if answer["statusCode"] != 200:  # noqa: PLR2004 # OK
            raise NoTranscriptError(answer["body"])
        return str(json.loads(answer["body"])["text"])

    return transcribe


def _event(work: Work) -> dict[str, Any]:
    model = MODELS[work.backend]
    if work.url is not None:
        query, body = {}, json.dumps({"url": work.url, "model": model})
    else:
        query, body = {"model": model}, work.body or ""
    return {
        "path": "/",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "queryStringParameters": query,
        "body": body,
        "isBase64Encoded": work.url is None,
    }
