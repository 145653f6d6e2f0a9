"""LangChain's model for the OpenAI API: each way in which its messages can hold a recording."""

import warnings
from typing import Any

import pytest
from support.client_packages import ENCODED, TEXT, TOKEN, VOXTRAL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about the versions of what it imports
    from langchain_core.messages import HumanMessage, SystemMessage
    from langchain_openai import ChatOpenAI

pytestmark = pytest.mark.filterwarnings("ignore")  # its own, which change with each version
PARTS: list[dict[str, Any]] = [
    {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "mp3"}},
    {"type": "audio", "base64": ENCODED, "mime_type": "audio/mpeg"},
    {"type": "audio", "source_type": "base64", "data": ENCODED, "mime_type": "audio/mp3"},
    {"type": "file", "base64": ENCODED, "mime_type": "audio/mpeg", "filename": "talk.mp3"},
]


def model(base_url: str, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model=VOXTRAL, base_url=base_url, api_key=TOKEN, max_retries=0, **options)  # type: ignore[arg-type] # a text will do


def message(part: dict[str, Any], text: str = "Transcribe this recording.") -> HumanMessage:
    return HumanMessage(content=[{"type": "text", "text": text}, part])


@pytest.mark.parametrize("part", PARTS, ids=["input_audio", "audio", "audio-of-0.3", "file"])
def test_a_recording_in_a_message(base_url: str, part: dict[str, Any]) -> None:
    """A recording in any of LangChain's blocks is transcribed, and the tokens are counted."""
    answer = model(base_url).invoke([message(part)])
    assert answer.content == TEXT
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] > 0


def test_empty_texts(base_url: str) -> None:
    """An empty instruction, and an empty text beside the recording, mean nothing."""
    assert model(base_url).invoke([SystemMessage(""), message(PARTS[0], "")]).content == TEXT


def test_stream_and_batch(base_url: str) -> None:
    """A stream adds up to the same text, and several recordings are several answers."""
    messages = [message(PARTS[0])]
    assert "".join(str(chunk.content) for chunk in model(base_url).stream(messages)) == TEXT
    assert [answer.content for answer in model(base_url).batch([messages, messages])] == [TEXT, TEXT]


def test_the_other_api_says_what_is_served(base_url: str) -> None:
    """With OpenAI's newer API, which is not served, the error names the one that is."""
    with pytest.raises(Exception, match=r"/v1/responses is not served here.*/v1/chat/completions"):
        model(base_url, use_responses_api=True).invoke([message(PARTS[0])])
