"""The commands of the README, run as a user runs them, with the real recogniser."""

import json
import os
import re
import signal
import subprocess
import time
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
import requests
from support.encoding import encode
from support.loopback import serve
from support.recordings import AUDIO, WORDS, recording, silence, word_error_rate

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_SECONDS = 300


def transcribe(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GENERATIVE_", "SCW_"))}
    command = [str(ROOT / "scripts" / "transcribe"), *map(str, arguments)]
    return subprocess.run(  # noqa: S603 # our own command
        command, env=kept | environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_sample() -> None:
    """Without an argument, the sample's words are all that is printed."""
    done = transcribe()
    assert (done.returncode, done.stderr) == (0, "")
    assert word_error_rate("jfk.wav", done.stdout) <= 0.1


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_several_recordings(tmp_path: Path) -> None:
    """Several recordings are printed in order, each under its name, and one that fails does not stop the rest.

    One of them is as phones make them, and has to be decoded.
    """
    m4a = tmp_path / "talk.m4a"
    with wave.open(str(AUDIO / "austen-0870.wav")) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), np.int16)
    m4a.write_bytes(encode(samples, "ipod", "aac", rate_hz=44_100, bit_rate=64_000))
    names = ["austen-0870.wav", "jfk.mp3", "austen-0890.wav"]
    done = transcribe("--format", "text", m4a, "/nowhere.mp3", *(AUDIO / name for name in names[1:]))
    assert done.returncode == 1
    assert done.stderr == "/nowhere.mp3: the file cannot be read: No such file or directory\n"
    titles, lines = done.stdout.splitlines()[::2], done.stdout.splitlines()[1::2]
    assert titles == [f"==> {path} <==" for path in (m4a, *(AUDIO / name for name in names[1:]))]
    for name, line in zip(names, lines, strict=True):
        assert word_error_rate(name, line) <= 0.1, (WORDS[name], line)


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_address_on_loopback() -> None:
    """An address on loopback is refused with the setting that allows it, and then transcribed."""
    with serve(lambda peer: peer.answer(recording("jfk.mp3"))) as server:
        refused = transcribe(server.url)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "ALLOWED_PRIVATE_HOSTS" in refused.stderr
        assert server.requests == []
        allowed = transcribe(server.url, ALLOWED_PRIVATE_HOSTS="127.0.0.1")
        assert word_error_rate("jfk.mp3", allowed.stdout) <= 0.1


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_recording_over_the_payload_limit(tmp_path: Path) -> None:
    """A file that no request can hold is uploaded to the local storage, and no address is let in for it."""
    (tmp_path / "silence.wav").write_bytes(silence(30, sample_rate_hz=96_000))
    with serve(lambda peer: peer.answer(recording("jfk.mp3"))) as server:
        done = transcribe("--format", "json", "--output", tmp_path, tmp_path / "silence.wav", server.url)
        assert server.requests == []
    assert json.loads((tmp_path / "silence.json").read_bytes())["duration"] == 30
    assert "ALLOWED_PRIVATE_HOSTS" in done.stderr


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_key_in_the_environment_means_the_real_api() -> None:
    """With GENERATIVE_API_KEY set, the API that it is for is asked, and no recogniser of this machine."""
    words = "From afar: and so my fellow Americans, ask not what your country can do for you."
    answer = json.dumps({"choices": [{"message": {"content": words}, "finish_reason": "stop"}]}).encode()
    with serve(lambda peer: peer.answer(b'{"data": []}' if peer.path == "/models" else answer)) as api:
        done = transcribe(GENERATIVE_API_KEY="key", GENERATIVE_API_URL=api.url, MODELS="voxtral-small-24b-2507")
        assert (done.stdout, done.stderr) == (f"{words}\n", "")
        assert [request.split(b" HTTP")[0] for request in api.requests] == [b"GET /models", b"POST /chat/completions"]


@pytest.mark.timeout(TIMEOUT_SECONDS)
@pytest.mark.parametrize("option", ["--handler", "--archive"])
def test_emulate_serves_until_it_is_stopped(tmp_path: Path, option: str) -> None:
    """scripts/emulate says what is where, serves another handler's folder or archive, and leaves nothing behind."""
    (tmp_path / "handler.py").write_text("def handle(event, context):\n    return {'body': 'another handler'}\n")
    archive = tmp_path / "function.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.write(tmp_path / "handler.py", "handler.py")
    served = {"--handler": tmp_path, "--archive": archive}[option]
    ports = [word for name in ("", "api-", "storage-", "control-") for word in (f"--{name}port", "0")]
    command = [str(ROOT / "scripts" / "emulate"), *ports, option, str(served)]
    process = subprocess.Popen(  # noqa: S603 # our own command
        [*command, "--instances", "2", "--recogniser", "stand-in"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    function_url, api_url = re.findall(
        r"^(?:Function|Generative APIs) +(http://127\.0\.0\.1:\d+(?:/v1)?) ", said, re.MULTILINE
    )
    key = re.findall(r"key (\S+)", said)[0]
    assert requests.get(function_url, timeout=60).text == "another handler"
    models = requests.get(f"{api_url}/models", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    assert [model["id"] for model in models.json()["data"]] == ["whisper-large-v3", "voxtral-small-24b-2507"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()
    deadline = time.monotonic() + 10
    for url in (function_url, api_url):
        while True:
            try:
                requests.get(url, timeout=1)
            except requests.ConnectionError:
                break
            assert time.monotonic() < deadline
