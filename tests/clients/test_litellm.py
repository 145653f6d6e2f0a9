"""LiteLLM, which many products call through: its chat completions and transcriptions."""

import asyncio
import os
import warnings
from types import ModuleType
from typing import Any

import pytest
from support.client_packages import ENCODED, MP3, TEXT, TOKEN, VOXTRAL, WHISPER
from support.loopback import serve

pytestmark = pytest.mark.filterwarnings("ignore")  # its own, which change with each version
DATA_URL = f"data:audio/mp3;base64,{ENCODED}"
PARTS = [
    {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "mp3"}},
    {"type": "file", "file": {"file_data": DATA_URL}},
    {"type": "file", "file": {"file_data": DATA_URL, "format": "audio/mp3", "filename": "talk.mp3"}},
]


@pytest.fixture(scope="module")
def litellm() -> ModuleType:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask GitHub for its prices
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm  # noqa: PLC0415 # as the variable has it
    return litellm


@pytest.fixture
def options(base_url: str) -> dict[str, Any]:
    return {"api_base": base_url, "api_key": TOKEN, "max_retries": 0}


def messages(part: dict[str, Any], text: str = "Transcribe this recording.") -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, part]}]


@pytest.mark.parametrize("part", PARTS, ids=["input_audio", "file", "file-with-format"])
@pytest.mark.parametrize("text", ["Transcribe this recording.", ""])
def test_chat_completion(litellm: ModuleType, options: dict[str, Any], part: dict[str, Any], text: str) -> None:
    """A recording in a part of either kind is transcribed, with a text beside it or an empty one."""
    answer = litellm.completion(model=f"openai/{VOXTRAL}", messages=messages(part, text), **options)
    assert answer.choices[0].message.content == TEXT


def test_stream(litellm: ModuleType, options: dict[str, Any]) -> None:
    """A stream adds up to the same text."""
    chunks = litellm.completion(model=f"openai/{VOXTRAL}", messages=messages(PARTS[0]), stream=True, **options)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT


@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
def test_transcription(litellm: ModuleType, options: dict[str, Any], response_format: str) -> None:
    """A file of base64 text is transcribed, in formats with times and without."""
    file = ("talk.mp3", ENCODED.encode())
    answer = litellm.transcription(model=f"openai/{WHISPER}", file=file, response_format=response_format, **options)
    assert answer.text == TEXT
    again = asyncio.run(litellm.atranscription(model=f"openai/{WHISPER}", file=file, **options))
    assert again.text == TEXT


def test_transcription_of_an_address(litellm: ModuleType, options: dict[str, Any]) -> None:
    """What no request can hold is named by its address, with an empty file."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        answer = litellm.transcription(
            model=f"openai/{WHISPER}", file=("none", b""), extra_body={"url": f"{server.url}/talk.mp3"}, **options
        )
    assert answer.text.startswith("stand-in transcript of 11.1 s")


def test_what_does_not_work_says_what_does(litellm: ModuleType, options: dict[str, Any]) -> None:
    """A file of bytes, and paths that are not served, are refused with the way that works."""
    with pytest.raises(Exception, match="base64"):
        litellm.transcription(model=f"openai/{WHISPER}", file=("talk.mp3", MP3), **options)
    with pytest.raises(Exception, match="/v1/chat/completions"):
        litellm.responses(model=f"openai/{VOXTRAL}", input="hello", **options)
    with pytest.raises(Exception, match="/v1/audio/transcriptions"):
        litellm.embedding(model=f"openai/{VOXTRAL}", input=["hello"], **options)
