"""The READMEs: every example works."""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from support.deployments import CONFIGURATION, with_triggers
from support.file_server import FileServer
from support.function_folders import wait_until
from support.readme_blocks import README, ROOT, Block, Step, blocks, first_cells, section, shown_json, steps
from support.recordings import AUDIO, WORDS, recording, word_error_rate

from build_archive import __main__ as build_command
from build_archive.limits import MAX_UNPACKED_BYTES, MAX_ZIP_BYTES, MB, Size
from emulator.local_platform import LocalPlatform, PlatformOptions

VOXTRAL: Final = "voxtral-small-24b-2507"
# What the variables begin with that somebody may have set for a function of their own.
OPERATORS: Final = ("GENERATIVE_", "SCW_", "MODEL", "S3_", "QUEUE_", "OUTPUT_", "ALLOWED_")

# Commands that no test of a README can run, and what looks after them instead.
NOT_RUN: Final = {
    "scripts/build": "takes half a minute; tests/build runs it, and its report is compared here",
    "scripts/deploy": "needs an account; tests/deployment runs it against an API of its own",
    "scw": "needs an account; its options are compared with serverless.yml here",
}


class Example:
    """A platform with the stub recogniser, and a shell whose commands meet it where a README says that it is."""

    def __init__(self, platform: LocalPlatform, files: FileServer) -> None:
        assert platform.apis is not None
        assert platform.control is not None
        assert platform.storage is not None
        self.url = platform.function.url
        self.apis, self.control, self.access = platform.apis, platform.control, platform.storage.access
        self._recording_url = files.add(AUDIO / "jfk.mp3")
        self._addresses = {
            "http://localhost:8080": self.url,
            "http://localhost:8081": self.apis.url.removesuffix("/v1"),
            "http://localhost:8082": self.access.endpoint,
            "http://localhost:8083/_emulator": self.control.url,
            # The internet stays out of the tests.
            "https://example.com/talk.mp3": self._recording_url,
            # Not every environment that tests is .venv.
            ".venv/bin/python": shlex.quote(sys.executable),
        }

    def translated(self, text: str) -> str:
        for name, address in self._addresses.items():
            text = text.replace(name, address)
        return text

    def run(self, command: str) -> str:
        """The output of a command, which has to succeed."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(OPERATORS)},
            "FUNCTION_URL": self.url,
            "TOKEN": "an-invented-token",
            "KEYS": f"{self.access.access_key}:{self.access.secret_key}",
            "GENERATIVE_API_KEY": self.apis.key,
            "GENERATIVE_API_URL": self.apis.url,
        }
        done = subprocess.run(  # noqa: S603 # our own examples
            ["bash", "-euo", "pipefail", "-c", self.translated(command)],  # noqa: S607 # wherever the system has it
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_until_idle(self) -> None:
        wait_until(lambda: not any(self.control.platform()["queue"][name] for name in ("waiting", "in_flight")))

    def empty(self) -> None:
        """As after the start: no objects, no messages, no faults, no calls."""
        self.wait_until_idle()
        s3 = self.access.client("s3")
        for entry in self.control.platform()["bucket"]["objects"]:
            s3.delete_object(Bucket=self.access.bucket, Key=entry["key"])
        self.wait_until_idle()
        self.apis.clear()
        self.control.clear_faults()

    def post(self, **fields: object) -> requests.Response:
        return requests.post(self.url, json=fields, timeout=60)

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.control.platform()["log"] if line.startswith("{")]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    configuration = tmp_path_factory.mktemp("configuration") / "serverless.yml"
    configuration.write_text(with_triggers(CONFIGURATION.read_text()))
    options = PlatformOptions(recogniser="stand-in", storage=True, config=configuration, retry_seconds=0.1)
    environment = {
        "PATH": os.environ["PATH"],
        "TIME_LIMIT": "30",
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "PRICES": f"{VOXTRAL}=0.6",
    }
    with FileServer() as files, LocalPlatform(options, environment) as platform:
        yield Example(platform, files)


@pytest.fixture
def example(started: Example) -> Iterator[Example]:
    """No example meets the faults that another one orders."""
    yield started
    started.apis.clear()
    started.control.clear_faults()


def test_every_block_is_checked() -> None:
    """Each block is in a language whose blocks are run or compared below, so that none is merely shown."""
    assert {block.language for block in blocks()} == {"sh", "console", "python", "json", "text"}
    # An answer, an error and a policy, each of which has a test.
    assert sorted(next(iter(json.loads(block.text))) for block in blocks("json")) == ["Version", "error", "text"]


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_shell_examples_work(example: Example, block: Block, tmp_path: Path) -> None:
    """Each example runs as it stands; where recordings are sent, each command gets its transcript."""
    output = example.run(block.text.replace("/tmp/", f"{tmp_path}/"))  # noqa: S108 # the README's, and not used
    requested = [line for line in block.text.splitlines() if "curl" in line and "_emulator" not in line]
    assert output.count("stand-in transcript of 11.1 s") == len(requested), output
    if "/_emulator/platform" in block.text:
        assert json.loads(output)["function_url"] == example.url
    if "markers.wav" in block.text:
        assert (tmp_path / "markers.wav").stat().st_size > 0


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_examples_work(example: Example, block: Block) -> None:
    """Each example in Python runs likewise, and prints the transcript."""
    done = subprocess.run(  # noqa: S603 # our own examples
        [sys.executable, "-c", example.translated(block.text)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("stand-in transcript of 11.1 s")


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_console_examples_work(example: Example, block: Block) -> None:
    """Each command in a console gives the output that is shown, but for the words, which the stub does not know."""
    example.empty()
    functions = ""
    for step in steps(block):
        if step.command.split()[0] in NOT_RUN:
            continue
        if re.match(r"\w+\(\) \{", step.command):
            functions += step.command + "\n"
            continue
        output = example.run(functions + step.command).rstrip("\n")
        example.wait_until_idle()
        assert_same_output(step, output)


def assert_same_output(step: Step, output: str) -> None:
    if step.command.startswith("scripts/transcribe"):
        # tests/system has the recogniser transcribe them; here, the README's text is compared with the spoken words.
        assert output.count("stand-in transcript") == len(step.output.splitlines())
        names = [Path(name).name for name in step.command.split()[1:]] or ["jfk.wav"]
        for name, line in zip(names, step.output.splitlines(), strict=True):
            assert word_error_rate(name, line) <= 0.1
    elif step.output.startswith("{"):
        shown, real = json.loads(step.output), json.loads(output)
        assert_same_form(shown, real)
        assert word_error_rate("austen-0930.wav", shown["text"]) <= 0.1
    else:
        assert output == step.output


def assert_same_form(shown: Any, real: Any) -> None:
    """What is shown has no field that the real answer has not, nor a value of another type."""
    if isinstance(shown, dict):
        assert shown.keys() <= real.keys()
        for name, value in shown.items():
            assert_same_form(value, real[name])
    elif isinstance(shown, list):
        assert bool(shown) == bool(real)
        for value in shown:
            assert_same_form(value, real[0])
    elif shown is not None and real is not None:  # a language is known by some models alone
        assert type(shown) is type(real)


def test_answer_that_is_shown_is_the_real_one(example: Example) -> None:
    """The answer in the README has the fields and figures of the real one, and its warning is a real warning."""
    audio = base64.b64encode(recording("jfk.mp3")).decode()
    shown, real = shown_json("text"), example.post(audio=audio).json()
    assert WORDS["jfk.mp3"].startswith(shown["text"].removesuffix(" …").lower())
    (warning,) = shown.pop("warnings")
    assert shown | {"text": ""} == real | {"text": ""}
    example.apis.fault("empty", count=50)
    try:
        (real_warning,) = example.post(audio=audio).json()["warnings"]
    finally:
        example.apis.clear()
    assert re.sub(r"\d+:\d+", "", warning) == re.sub(r"\d+:\d+", "", real_warning)


def test_error_that_is_shown_is_the_real_one(example: Example) -> None:
    """The error in the README is what the function answers to that mistake."""
    answer = example.post(url="https://example.com/", langauge="en")
    assert answer.json() == shown_json("error")


def test_report_of_the_build_is_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report in the README has the form and the limits of the one that scripts/build prints."""
    (shown,) = (
        step.output for block in blocks("console") for step in steps(block) if step.output and "build" in step.command
    )

    def build(output: Path, *_target: object) -> Size:
        output.write_bytes(b"an archive")
        return Size(zip_bytes=MAX_ZIP_BYTES, unpacked_bytes=MAX_UNPACKED_BYTES, files=1)

    monkeypatch.setattr(build_command, "build", build)
    monkeypatch.setattr("sys.argv", ["scripts/build"])
    monkeypatch.chdir(tmp_path)
    assert build_command.main() == 0
    figures = r"\b[0-9a-f]{64}\b|(?<=in )\d+(?= s)| +\d+\.\d(?= MB)|\d+(?= files)"
    assert re.sub(figures, "", shown) == re.sub(figures, "", capsys.readouterr().out.rstrip("\n"))
    zipped, unpacked = (float(size) * MB for size in re.findall(r"([\d.]+) MB of", shown))
    assert zipped <= MAX_ZIP_BYTES
    assert unpacked <= MAX_UNPACKED_BYTES


def test_every_field_of_the_log_is_listed(example: Example) -> None:
    """Every field of the log is in the table, and none other is."""
    example.empty()
    s3 = example.access.client("s3")
    s3.put_object(Bucket=example.access.bucket, Key="incoming/a.mp3", Body=recording("jfk.mp3"))
    example.apis.fault("500", count=1, path="/v1/audio/transcriptions")  # and not the list of models
    audio = base64.b64encode(recording("jfk.mp3")).decode()
    assert example.post(audio=audio).status_code == 200
    assert example.post(audio=audio, model=VOXTRAL).status_code == 200  # its tokens are counted
    assert example.post(audio=audio, langauge="en").status_code == 400
    assert example.post(sweep={"bucket": example.access.bucket}).status_code == 200
    wait_until(lambda: any(line["message"] == "object" for line in example.logged()))
    listed = set(re.findall(r"`(\w+)`", " ".join(first_cells(section(README, "Operate")))))
    seen = {name for line in example.logged() for name in line}
    assert seen <= listed, seen - listed
    # Of an error that nothing foresees, and of a list of models that cannot be had: tests of their own show them.
    assert listed - seen <= {"where", "reason"}
