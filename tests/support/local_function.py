"""The function on the local platform, as a client sees it, with what it did: calls of the API, and its log."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any, Final

import requests
from support.file_server import FileServer

from emulator.generative.server import GenerativeServer, RecogniserName
from emulator.local_platform import LocalPlatform, PlatformOptions

VOXTRAL: Final = "voxtral-small-24b-2507"
WHISPER: Final = "whisper-large-v3"
TIMEOUT_SECONDS: Final = 300


@dataclass(frozen=True)
class LocalFunction:
    """A function that runs; `folder` is for files that it fetches from `files`, `log_path` has its log."""

    url: str
    apis: GenerativeServer
    files: FileServer
    folder: Path
    log_path: Path

    def address_of(self, name: str, data: bytes) -> str:
        """Where the function finds `data`, under that name."""
        path = self.folder / name
        path.write_bytes(data)
        return self.files.add(path)

    def post(self, body: Mapping[str, Any] | str, **options: Any) -> requests.Response:
        """The answer to a JSON object or to base64 text."""
        content = {"data": body} if isinstance(body, str) else {"json": body}
        return requests.post(self.url, timeout=TIMEOUT_SECONDS, **content, **options)

    def transcript(self, body: Mapping[str, Any] | str, **options: Any) -> dict[str, Any]:
        """The answer's JSON, where it is no error."""
        answer = self.post(body, **options)
        assert answer.status_code == 200, answer.text
        transcript: dict[str, Any] = answer.json()
        return transcript

    def calls(self) -> list[dict[str, Any]]:
        """The calls of the API that had audio, oldest first."""
        return [request for request in self.apis.requests() if request["audio"] is not None]

    def logged(self, request_id: str) -> dict[str, Any]:
        """What the log says of a request at its end."""
        lines = (line for line in self.log_path.read_text().splitlines() if line.startswith("{"))
        (found,) = (
            entry
            for entry in map(json.loads, lines)
            if entry["message"] == "request" and entry["request_id"] == request_id
        )
        entry: dict[str, Any] = found
        return entry


@contextmanager
def local_function(recogniser: RecogniserName, **environment: str) -> Iterator[LocalFunction]:
    """Run the function with the settings in `environment`, and that recogniser behind the APIs."""
    with FileServer() as files, TemporaryDirectory() as folder, NamedTemporaryFile() as log:
        settings = {"PATH": os.environ["PATH"], "ALLOWED_PRIVATE_HOSTS": "127.0.0.1", **environment}
        options = PlatformOptions(recogniser=recogniser, timeout_seconds=TIMEOUT_SECONDS)
        with LocalPlatform(options, settings, output=log.file) as platform:
            assert platform.apis is not None
            yield LocalFunction(platform.function.url, platform.apis, files, Path(folder), Path(log.name))


def new_request_id() -> dict[str, str]:
    """A header that finds a request in the log."""
    return {"X-Request-Id": secrets.token_hex(8)}
