"""Records the received requests, so that tests and people can see them as they were sent; never the key."""

import base64
import binascii
import hashlib
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

# More than a day of manual tests; older ones are dropped.
MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class ReceivedAudio:
    """A request's audio; `format` comes from the chat API, filename and content type from the other API."""

    sha256: str
    size_bytes: int
    format: str | None = None
    filename: str | None = None
    content_type: str | None = None


@dataclass
class ReceivedRequest:
    """A request as it arrived; `status` is `None` until it is answered. Times are seconds since 1970."""

    method: str
    path: str
    content_type: str | None = None
    transfer_encoding: str | None = None
    body_size_bytes: int | None = None
    model: str | None = None
    prompt: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    audio: ReceivedAudio | None = None
    fault: str | None = None
    status: int | None = None
    received_at: float = field(default_factory=time.time)
    answered_at: float | None = None

    def describe_chat(self, body: Any) -> None:
        """Record the fields of a chat request's JSON, as far as it is well-formed."""
        if not isinstance(body, dict):
            return
        self.model = _text(body.get("model"))
        self.options = {name: value for name, value in body.items() if name not in {"model", "messages"}}
        texts: list[str] = []
        for part in _parts(body.get("messages")):
            if isinstance(text := part.get("text"), str):
                texts.append(text)
            if isinstance(audio := part.get("input_audio"), dict):
                self.audio = _audio_of_part(audio)
        self.prompt = "\n".join(texts) or None

    def describe_transcription(self, form: MultiDict[str, str], file: FileStorage | None) -> None:
        """Record the fields of a multipart request."""
        self.model = form.get("model")
        self.prompt = form.get("prompt")
        # A key that ends in [] is a list, as the OpenAI client sends it.
        self.options = {
            name: form.getlist(name) if name.endswith("[]") else form[name]
            for name in form
            if name not in {"model", "prompt", "file"}
        }
        if file is not None:
            data = file.stream.read()
            file.stream.seek(0)
            self.audio = ReceivedAudio(
                sha256=hashlib.sha256(data).hexdigest(),
                size_bytes=len(data),
                filename=file.filename,
                content_type=file.content_type or None,
            )


class RequestLog:
    """The latest requests, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[ReceivedRequest] = deque(maxlen=MAX_REMEMBERED)

    def add(self, request: ReceivedRequest) -> None:
        """Record a request when it arrives; its later facts are set on the same object."""
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._requests.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """All requests, as they are now."""
        with self._lock:
            return [asdict(request) for request in self._requests]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _parts(messages: Any) -> Iterator[Mapping[str, Any]]:
    """All parts of all messages; content that is a text counts as a part."""
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            yield {"text": content}
        elif isinstance(content, list):
            yield from (part for part in content if isinstance(part, dict))


def _audio_of_part(audio: Mapping[str, Any]) -> ReceivedAudio | None:
    encoded = audio.get("data")
    if not isinstance(encoded, str):
        return None
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):  # ValueError: text that is not ASCII
        return None
    return ReceivedAudio(hashlib.sha256(data).hexdigest(), len(data), format=_text(audio.get("format")))
