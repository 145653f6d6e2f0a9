"""Finds the audio in a streamed body, checks what surrounds it, and keeps only its digest."""

import hashlib
import json
import re
from typing import Final

from bench_suite.exchange import BadRequestError
from bench_suite.recording import transcript

# Everything but the audio: a model's name, an instruction, some settings.
MAX_AROUND_BYTES: Final = 64 * 1024

_CHAT_START: Final = re.compile(rb'"data"\s*:\s*"')
_FORM_START: Final = re.compile(rb'filename="[^"]*"\r\n(?:[^\r\n]+\r\n)*\r\n')
_BOUNDARY: Final = re.compile(r"boundary=\"?([^\";]+)")


class Upload:
    """A body with audio between a match of `start` and `end`, of which `size_bytes` have come."""

    def __init__(self, start: re.Pattern[bytes], end: bytes) -> None:
        self._start = start
        self._end = end
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._before = b""
        self._undecided = b""  # what may be the first part of `end`
        self._after: bytes | None = None
        self._has_begun = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        if self._after is not None:
            self._after += piece
        elif self._has_begun:
            self._take(piece)
        else:
            self._before += piece
            if match := self._start.search(self._before):
                self._has_begun = True
                audio, self._before = self._before[match.end() :], self._before[: match.end()]
                self._take(audio)
        if len(self._before) + len(self._after or b"") > MAX_AROUND_BYTES:
            raise BadRequestError("There is no audio in the body.")

    def around(self) -> bytes:
        """The body without its audio."""
        if self._after is None:
            raise BadRequestError("The audio in the body has no end.")
        return self._before + self._after

    def transcript(self) -> str:
        """The transcript that stands for the received bytes."""
        return transcript(self.size_bytes, self._digest.hexdigest())

    def _take(self, piece: bytes) -> None:
        window = self._undecided + piece if self._undecided else piece
        end = window.find(self._end)
        if end >= 0:
            self._after, self._undecided = window[end:], b""
        else:
            end = max(0, len(window) - len(self._end) + 1)
            self._undecided = window[end:]
        audio = memoryview(window)[:end]
        self.size_bytes += len(audio)
        self._digest.update(audio)


def chat_upload() -> Upload:
    """A call of the Chat Completions API, whose audio is base64 inside of JSON, and stays so: its text is digested."""
    return Upload(_CHAT_START, b'"')


def form_upload(content_type: str) -> Upload:
    """A call of the Audio Transcriptions API, a form whose audio is its file."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise BadRequestError("The form has no boundary.")
    return Upload(_FORM_START, b"\r\n--" + boundary[1].encode())


def check_chat(around: bytes) -> None:
    """Raise `BadRequestError` unless what is around the audio is a call of the Chat Completions API."""
    try:
        request = json.loads(around)
        audio = request["messages"][0]["content"][1]["input_audio"]
        valid = bool(request["model"]) and audio == {"data": "", "format": "mp3"}
    except (ValueError, LookupError, TypeError):
        valid = False
    if not valid:
        raise BadRequestError("The body is no call of the Chat Completions API.")


def check_form(around: bytes) -> None:
    """Raise `BadRequestError` unless what is around the audio is a form of the Audio Transcriptions API."""
    if b'name="model"' not in around or not around.rstrip().endswith(b"--"):
        raise BadRequestError("The body is no form with a file and a model.")
