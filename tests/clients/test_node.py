"""OpenAI's client for Node and the Vercel AI SDK: their own calls, against the function on the local platform."""

from typing import Any

import pytest
from support.client_packages import MP3, TEXT, VOXTRAL, WHISPER, install_node_packages, reason_without_node, run_node
from support.loopback import serve

REASON = reason_without_node()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    if reason := install_node_packages():
        pytest.skip(reason)


def refused(found: dict[str, Any], status: int, *words: str) -> bool:
    return found["status"] == status and all(word in found["message"] for word in words)


def test_openai(base_url: str) -> None:
    """Chat completions, transcriptions of base64 text, their events, and models work; what does not says what does."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        found = run_node("openai.mjs", base_url, RECORDING_URL=f"{server.url}/talk.mp3")
    assert found["chat"] == {"value": TEXT}
    assert "".join(found["chatStream"]["value"]) == TEXT
    assert found["transcription"]["value"]["text"] == TEXT
    assert found["subtitles"]["value"].startswith("1\n00:00:0")
    assert found["events"] == {"value": ["transcript.text.delta", "transcript.text.done"]}
    assert found["address"]["value"]["text"].startswith("stand-in transcript of 11.1 s")
    assert refused(found["binary"], 400, "base64")
    assert found["models"] == {"value": [WHISPER, VOXTRAL]}
    assert found["retrieve"] == {"value": WHISPER}
    assert refused(found["responses"], 404, "/v1/chat/completions")
    assert refused(found["translations"], 404, "/v1/audio/transcriptions")


def test_vercel_ai_sdk(base_url: str) -> None:
    """A file of audio in a message works, whole and streamed, and `transcribe` with base64 text as its bytes."""
    found = run_node("vercel-ai.mjs", base_url)
    for call in ("generateText", "compatible", "streamText", "transcribe"):
        assert found[call] == {"value": TEXT}
    assert refused(found["responses"], 404, "/v1/chat/completions")
    assert refused(found["transcribeBinary"], 400, "base64")
