"""Jobs on the local platform: a private function with a token of its own, several instances, and kills."""

import base64
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from support.file_server import FileServer
from support.function_folders import wait_until
from support.recordings import hum, recording

from emulator.local_platform import LocalPlatform, PlatformOptions

TOKEN = "invented-" + secrets.token_hex(8)
ACCESS_TOKEN = "invented-" + secrets.token_hex(8)
FINAL = ("completed", "failed")


@dataclass
class Client:
    """A client of the function, with the tokens that it sends."""

    platform: LocalPlatform
    headers: dict[str, str]

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        url = self.platform.function.url + path
        sent = self.headers if headers is None else headers
        return requests.request(method, url, json=body, headers=sent, timeout=60)

    def job(self, body: dict[str, Any]) -> str:
        answer = self("POST", "/", {**body, "async": True})
        assert answer.status_code == 202, answer.text
        return str(answer.headers["Location"])

    def finished(self, path: str) -> list[dict[str, Any]]:
        """What each look at the job has found, up to its end."""
        looks: list[dict[str, Any]] = []

        def look() -> bool:
            looks.append(self("GET", path).json())
            return looks[-1]["status"] in FINAL

        wait_until(look)
        return looks


@pytest.fixture(scope="module", params=[True, False], ids=["private", "public"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of a function; a private one has a token of its own, too."""
    is_private = request.param
    options = PlatformOptions(
        instances=2, recogniser="stand-in", storage=True, retry_seconds=0.1, private_token=TOKEN if is_private else None
    )
    environment = {"PATH": os.environ["PATH"], "ALLOWED_PRIVATE_HOSTS": "127.0.0.1", "CHUNK_MINUTES": "0.5"}
    environment |= {"ACCESS_TOKEN": ACCESS_TOKEN} if is_private else {}
    tokens = {"X-Auth-Token": TOKEN, "Authorization": f"Bearer {ACCESS_TOKEN}"} if is_private else {}
    with LocalPlatform(options, environment) as platform:
        yield Client(platform, tokens)


def test_recording_in_the_request(client: Client) -> None:
    """A recording over the size of a message is a job, whose transcript is there in the end, and gone with it."""
    path = client.job({"audio": base64.b64encode(hum(30)).decode()})
    assert client.finished(path)[-1]["status"] == "completed"
    assert "stand-in transcript" in client("GET", f"{path}/content?response_format=text").text
    assert client("DELETE", path).json()["deleted"] is True
    assert [client(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]


def test_no_call_passes_without_its_tokens(client: Client) -> None:
    """Each call about a job needs all that guards the function: the platform's token, and the function's own."""
    path = client.job({"audio": base64.b64encode(recording("jfk.mp3")).decode()})
    client.finished(path)
    for missing in client.headers:
        headers = {name: value for name, value in client.headers.items() if name != missing}
        for method, end in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
            assert client(method, path + end, headers=headers).status_code in {401, 403}
    other = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert client("GET", other).status_code == 404
    assert client("GET", path).status_code == 200


def test_progress_of_a_recording_at_an_address(client: Client, tmp_path: Any) -> None:
    """A recording at an address is copied and worked on; while it is, progress never falls, and ends at 100."""
    file = tmp_path / "talk.wav"
    file.write_bytes(hum(120))
    with FileServer() as files:
        path = client.job({"url": files.add(file)})
        looks = client.finished(path)
    progress = [look["progress"] for look in looks if look["progress"] is not None]
    assert progress == sorted(progress)
    assert (progress[-1], looks[-1]["status"]) == (100, "completed")
