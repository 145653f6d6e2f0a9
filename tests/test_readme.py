"""The README: what it shows, works."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from emulator.local_platform import LocalPlatform, PlatformOptions

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    environment = {"PATH": os.environ["PATH"], "TIME_LIMIT": "5"}
    with LocalPlatform(PlatformOptions(recogniser="stand-in", storage=True), environment) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(platform: LocalPlatform) -> Iterator[None]:
    """What one example orders, the next one does not meet."""
    yield
    assert platform.apis is not None
    assert platform.control is not None
    platform.apis.clear()
    platform.control.clear_faults()


@pytest.mark.parametrize("example", re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
def test_examples_work(platform: LocalPlatform, example: str) -> None:
    """Each example is run as it stands, at the addresses of a platform of this test."""
    assert platform.apis is not None
    assert platform.control is not None
    command = example.replace("http://localhost:8080", platform.function.url)
    command = command.replace("http://localhost:8081", platform.apis.url.removesuffix("/v1"))
    command = command.replace("http://localhost:8083/_emulator", platform.control.url)
    # The address on the internet stays out of the tests: what is shown is the request's form.
    command = re.sub(r"https://[^\"]*", "http://127.0.0.1:9/", command)
    done = subprocess.run(  # noqa: S603 # our own examples
        ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607 # wherever the system has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "127.0.0.1:9/" in command:
        assert "ALLOWED_PRIVATE_HOSTS" in done.stdout
    elif "_emulator" not in command:
        assert "stand-in transcript of 11.0 s" in done.stdout or "stand-in transcript of 11.1 s" in done.stdout


def test_every_setting_is_listed() -> None:
    """Every variable that the settings read is in the README, and none other is."""
    read = set(re.findall(r'values\.\w+\(\s*"([A-Z0-9_]+)"', (ROOT / "transcriber" / "settings.py").read_text()))
    table = README.split("## Set it up")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z][A-Z0-9_]+)`", table)) == read


def test_error_that_is_shown_is_the_real_one(platform: LocalPlatform) -> None:
    """The error in the README is what the function answers to that mistake."""
    answer = requests.post(platform.function.url, json={"url": "https://example.com/", "langauge": "en"}, timeout=60)
    assert answer.text in README
