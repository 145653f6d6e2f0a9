"""Requests to the Generative APIs, as a client without any SDK sends them."""

import base64
from dataclasses import dataclass
from typing import Any

import requests

VOXTRAL = "voxtral-small-24b-2507"
WHISPER = "whisper-large-v3"
TIMEOUT_SECONDS = 60


def audio_part(audio: bytes, audio_format: str = "wav") -> dict[str, Any]:
    data = base64.b64encode(audio).decode()
    return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}


def chat_body(audio: bytes, audio_format: str = "wav", **options: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "Transcribe this audio"}, audio_part(audio, audio_format)]
    return {"model": VOXTRAL, "messages": [{"role": "user", "content": content}], **options}


@dataclass(frozen=True)
class Caller:
    """Somebody who knows the server's address and key."""

    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def chat(self, body: Any) -> requests.Response:
        return self.post("/chat/completions", json=body)

    def transcribe(self, audio: bytes, filename: str = "a.wav", **fields: Any) -> requests.Response:
        form = {"model": WHISPER, **fields}
        return self.post("/audio/transcriptions", data=form, files={"file": (filename, audio)})

    def models(self) -> requests.Response:
        return requests.get(f"{self.url}/models", headers=self.headers, timeout=TIMEOUT_SECONDS)

    def post(self, path: str, **request: Any) -> requests.Response:
        return requests.post(self.url + path, headers=self.headers, timeout=TIMEOUT_SECONDS, **request)
