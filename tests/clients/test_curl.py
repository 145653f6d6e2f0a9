"""curl, with the forms that its users write: everything that is text from end to end is transcribed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.client_packages import ENCODED, MP3, TEXT, TOKEN, WHISPER
from support.loopback import serve
from support.recordings import AUDIO

from emulator.local_platform import LocalPlatform

SECONDS = 60
WITH_TOKEN = ("-H", f"Authorization: Bearer {TOKEN}")


def curl(*arguments: str, data: bytes = b"") -> str:
    """What curl prints, with `data` as its input."""
    command = ["curl", "-sS", "--noproxy", "*", *WITH_TOKEN, *arguments]
    done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 # of this list
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def error_of(answer: str) -> str:
    return str(json.loads(answer)["error"]["message"])


@pytest.mark.parametrize("path", ["/", "/v1/audio/transcriptions"])
@pytest.mark.parametrize("kind", ["-F", "-d", "--data-urlencode"])
def test_an_address(platform: LocalPlatform, kind: str, path: str) -> None:
    """An address in a form of either kind is fetched, and the options beside it hold."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        url = f"{server.url}/talk.mp3"
        answer = curl(
            kind, f"url={url}", kind, f"model={WHISPER}", kind, "response_format=text", platform.function.url + path
        )
    assert answer.startswith("stand-in transcript of 11.1 s")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-F", "file=@-"),
        ("-F", "file=@-;type=audio/mpeg;filename=talk.mp3"),
        ("-F", "file=<-"),
        ("-F", "audio=<-"),
        ("--data-urlencode", "file@-"),
        ("-d", f"file={ENCODED}"),
    ],
    ids=lambda arguments: arguments[1][:30],
)
def test_base64_text(platform: LocalPlatform, tmp_path: Path, arguments: tuple[str, str]) -> None:
    """Base64 text as `base64` writes it, with its line ends, is a recording in each place where curl can put it."""
    option, value = arguments
    if len(value) > len(ENCODED):  # longer than an argument may be
        (tmp_path / "form").write_text(f"{value}&response_format=text")
        answer = curl(option, f"@{tmp_path}/form", platform.function.url)
    else:
        wrapped = subprocess.run(["base64", AUDIO / "jfk.mp3"], capture_output=True, check=True).stdout  # noqa: S603, S607 # the system's
        more = "-F" if option == "-F" else "-d"
        answer = curl(option, value, more, "response_format=text", platform.function.url, data=wrapped)
    assert answer == f"{TEXT}\n"


def test_an_upload_by_curl_alone(platform: LocalPlatform) -> None:
    """A file is PUT to the address of its upload with the headers of the answer, and is then named by a form."""
    described = json.dumps({"filename": "jfk.mp3", "bytes": len(MP3)})
    slot: dict[str, Any] = json.loads(curl("--json", described, f"{platform.function.url}/v1/uploads"))
    headers = [argument for name, value in slot["headers"].items() for argument in ("-H", f"{name}: {value}")]
    status = ("-o", "/dev/null", "-w", "%{http_code}")
    put = [*headers, "--upload-file", str(AUDIO / "jfk.mp3"), slot["url"]]
    assert [put_status(*status, *put) for _ in range(2)] == ["200", "412"]
    named = ("-F", f"bucket={slot['bucket']}", "-F", f"key={slot['key']}", "-F", "response_format=text")
    assert curl(*named, platform.function.url) == f"{TEXT}\n"


def put_status(*arguments: str) -> str:
    """Without the token, which is the function's: an address is signed, and another signature beside it is an error."""
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, timeout=SECONDS, check=True)  # noqa: S603, S607 # the system's
    return done.stdout.decode()


def test_binary(platform: LocalPlatform) -> None:
    """A file of bytes was destroyed on its way, which the message says, with the form that works."""
    message = error_of(curl("-F", f"file=@{AUDIO}/jfk.mp3", platform.function.url))
    assert "binary" in message
    assert "curl -F file=@-" in message


def test_events(platform: LocalPlatform) -> None:
    """A stream is OpenAI's events, whole at once."""
    answer = curl(
        "-F", "file=@-", "-F", "stream=true", f"{platform.function.url}/v1/audio/transcriptions", data=ENCODED.encode()
    )
    blocks = answer.removesuffix("\n\n").split("\n\n")
    assert [block.partition("\n")[0] for block in blocks] == [
        "event: transcript.text.delta",
        "event: transcript.text.done",
    ]
    assert json.loads(blocks[1].partition("data: ")[2])["text"] == TEXT
