"""The seed's way as a function: the documentation's script for a local file, whose bytes are the request's body."""  # noqa: INP001 # a function's folder, no package

import os
from typing import Any

from bench_suite.seed import make_transcribe
from bench_suite.work import Backend, Work

_transcribe = make_transcribe(os.environ["GENERATIVE_API_URL"])


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The transcript of the recording whose base64 is the body."""
    return {"statusCode": 200, "body": _transcribe(Work(Backend.CHAT, body=event["body"]))}
