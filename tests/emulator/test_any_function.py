"""The README's page about any Python function: its example works as it is shown, with queue and schedule."""

import os
import re
from pathlib import Path

import requests
from support.function_folders import TIMEOUT_SECONDS, wait_until
from support.readme_blocks import section

from emulator.local_platform import LocalPlatform, PlatformOptions

README = Path(__file__).parents[2] / "scripts" / "emulator" / "README.md"


def test_the_example_works(tmp_path: Path) -> None:
    """The function gets an upload, a message and a schedule's input, and answers with what it got."""
    source, config = re.findall(r"```text\n(.*?)```", section(README, "Any Python function"), re.DOTALL)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text(source.replace("/tmp/seen.jsonl", str(tmp_path / "seen.jsonl")))  # noqa: S108 # replaced
    (tmp_path / "serverless.yml").write_text(config)
    options = PlatformOptions(folder=tmp_path, recogniser="stand-in", storage=True)
    with LocalPlatform(options, {"PATH": os.environ["PATH"]}) as platform:
        assert platform.storage is not None
        assert platform.control is not None

        def seen() -> str:
            return requests.get(platform.function.url, timeout=TIMEOUT_SECONDS).text

        assert seen() == ""
        platform.control.fire(0)
        platform.control.publish(b"a message")
        access = platform.storage.access
        access.client("s3").put_object(Bucket=access.bucket, Key="a.mp3", Body=b"audio")
        for part in ("nightly", "a message", "ObjectCreated:Put"):
            wait_until(lambda part=part: part in seen())  # type: ignore[misc] # mypy does not type the default
