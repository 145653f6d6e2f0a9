"""What the documentation's two scripts do, which use the chat model only.

The whole recording is fetched, then encoded, then put into a request, then sent. The client is made once for a process,
as a function made of these scripts would do.
"""

import base64
from typing import Any, Final

import openai
import requests

from bench_suite.api_server import MODELS
from bench_suite.work import KEY, Transcribe, Work

PROMPT: Final = "Transcribe this audio"


def make_transcribe(api_url: str) -> Transcribe:
    """The seed's way with an API at `api_url`."""
    client = openai.OpenAI(base_url=api_url, api_key=KEY)

    def transcribe(work: Work) -> str:
        return ask_chat_model(client, fetched(work))

    return transcribe


def fetched(work: Work) -> bytes:
    """The recording, whole."""
    return fetch_remote(work.url) if work.url is not None else read_local(work.body or "")


def fetch_remote(url: str) -> bytes:
    """The recording at `url`."""
    return requests.get(url).content  # noqa: S113 # as the script has it


def read_local(body: str) -> bytes:
    """The recording that came in a request, which to the script is a file."""
    return base64.b64decode(body)


def ask_chat_model(client: openai.OpenAI, audio: bytes) -> str:
    """The text of the Chat Completions API for `audio`."""
    encoded = base64.b64encode(audio).decode("utf-8")
    content: list[Any] = [
        {"type": "text", "text": PROMPT},
        {"type": "input_audio", "input_audio": {"data": encoded, "format": "mp3"}},
    ]
    completion = client.chat.completions.create(
        model=MODELS["chat"],
        messages=[{"role": "user", "content": content}],
        temperature=0.2,
        max_tokens=2048,
        top_p=0.95,
    )
    return completion.choices[0].message.content or ""
