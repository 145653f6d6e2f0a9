"""LiteLLM, which many products call through: its chat completions and transcriptions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.client_packages import CALL_SECONDS, ENCODED, MP3, TEXT, TOKEN
from support.loopback import serve

from emulator.local_platform import LocalPlatform

SCRIPT = Path(__file__).with_name("litellm_calls.py")


@pytest.fixture(scope="module")
def found(platform: LocalPlatform) -> dict[str, Any]:
    """What came of each call."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "BASE_URL": f"{platform.function.url}/v1",
            "TOKEN": TOKEN,
            "ENCODED": ENCODED,
            "RECORDING_URL": f"{server.url}/talk.mp3",
        }
        done = subprocess.run(  # noqa: S603 # this Python, and a script of this folder
            [sys.executable, SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    collected: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return collected


@pytest.mark.parametrize("call", ["input_audio", "file", "file with a name and a format", "empty text"])
def test_chat_completion(found: dict[str, Any], call: str) -> None:
    """A recording in a part of either kind is transcribed, with a text beside it or an empty one."""
    assert found[call] == {"value": TEXT}


@pytest.mark.parametrize("call", ["stream", "transcription", "transcription with times"])
def test_stream_and_transcription(found: dict[str, Any], call: str) -> None:
    """A stream adds up to the same text, and a file of base64 text is transcribed."""
    assert found[call] == {"value": TEXT}


def test_transcription_of_an_address(found: dict[str, Any]) -> None:
    """What no request can hold is named by its address, with an empty file."""
    assert found["address"]["value"].startswith("stand-in transcript of 11.1 s")


@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        ("binary", 400, "base64"),
        ("responses", 404, "/v1/chat/completions"),
        ("embedding", 404, "/v1/audio/transcriptions"),
    ],
)
def test_what_does_not_work_says_what_does(found: dict[str, Any], call: str, status: int, says: str) -> None:
    """A file of bytes, and paths that are not served, are refused with the way that works."""
    assert found[call]["status"] == status
    assert says in found[call]["message"]
