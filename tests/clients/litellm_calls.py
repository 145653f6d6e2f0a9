"""Makes calls by LiteLLM, in a process of its own: it leaves threads, event loops and warnings behind.

Prints, by the name of each call, its value, or the status and the message of its error.
"""

import json
import os
import warnings
from collections.abc import Callable
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask GitHub for its prices
warnings.simplefilter("ignore")

import litellm  # noqa: E402 # as the variable has it

ENCODED = os.environ["ENCODED"]
OPTIONS: dict[str, Any] = {"api_base": os.environ["BASE_URL"], "api_key": os.environ["TOKEN"], "max_retries": 0}
MODEL = "openai/voxtral-small-24b-2507"
TRANSCRIPTIONS = "openai/whisper-large-v3"
DATA_URL = f"data:audio/mp3;base64,{ENCODED}"
INPUT_AUDIO = {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "mp3"}}
FILE = {"type": "file", "file": {"file_data": DATA_URL}}
NAMED_FILE = {"type": "file", "file": {"file_data": DATA_URL, "format": "audio/mp3", "filename": "talk.mp3"}}


def messages(part: dict[str, Any], text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, part]}]


def chat(part: dict[str, Any], text: str = "Transcribe this recording.") -> str | None:
    answer = litellm.completion(model=MODEL, messages=messages(part, text), **OPTIONS)
    content: str | None = answer.choices[0].message.content
    return content


def stream() -> str:
    chunks = litellm.completion(model=MODEL, messages=messages(INPUT_AUDIO, ""), stream=True, **OPTIONS)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def transcription(data: bytes, **options: Any) -> str:
    answer = litellm.transcription(model=TRANSCRIPTIONS, file=("talk.mp3", data), **options, **OPTIONS)
    return str(answer.text)


CALLS: dict[str, Callable[[], object]] = {
    "input_audio": lambda: chat(INPUT_AUDIO),
    "file": lambda: chat(FILE),
    "file with a name and a format": lambda: chat(NAMED_FILE),
    "empty text": lambda: chat(FILE, ""),
    "stream": stream,
    "transcription": lambda: transcription(ENCODED.encode()),
    "transcription with times": lambda: transcription(ENCODED.encode(), response_format="verbose_json"),
    "address": lambda: transcription(b"", extra_body={"url": os.environ["RECORDING_URL"]}),
    "binary": lambda: transcription(b"\xff\xfb\x90\x00" * 99),
    "responses": lambda: litellm.responses(model=MODEL, input="hello", **OPTIONS),
    "embedding": lambda: litellm.embedding(model=MODEL, input=["hello"], **OPTIONS),
}


def outcome(call: Callable[[], object]) -> dict[str, object]:
    try:
        return {"value": call()}
    except Exception as error:  # noqa: BLE001 # of any kind: it is what is collected
        return {"status": getattr(error, "status_code", None), "message": str(error)}


if __name__ == "__main__":
    print("\n" + json.dumps({name: outcome(call) for name, call in CALLS.items()}))  # noqa: T201 # for the test
