"""From a laptop to a function and back: a film through a private function of three instances, under the quota."""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from support.films import write_film
from support.long_recordings import LongRecording

from emulator.generative.quota import QuotaOptions
from emulator.local_platform import LocalPlatform, PlatformOptions

ROOT = Path(__file__).parents[2]
TOKEN: Final = "an-invented-key"
TIMEOUT_SECONDS = 600
MB = 1_000_000


@contextmanager
def private_platform(**settings: str) -> Iterator[LocalPlatform]:
    """Three instances of a private function; the documented quota, with a minute of ten seconds."""
    options = PlatformOptions(
        private_token=TOKEN,
        instances=3,
        storage=True,
        recogniser="markers",
        real_time_factor=0.01,
        retry_seconds=0.5,
        quota=QuotaOptions(minute_seconds=10),
    )
    environment = {"PATH": os.environ["PATH"], "CHUNK_MINUTES": "2", **settings}
    with LocalPlatform(options, environment) as platform:
        yield platform


def transcribe(platform: LocalPlatform, folder: Path, *arguments: str | Path) -> tuple[int, str]:
    """The status of the command, and what it shows on a terminal."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 160))  # a new terminal has no size, in which a bar is nothing
    process = subprocess.Popen(  # noqa: S603 # our own command
        [sys.executable, "-m", "transcribe_client", "--function", platform.function.url, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}",
            "XDG_STATE_HOME": str(folder / "state"),
            "ACCESS_TOKEN": TOKEN,
        },
        stdout=end,
        stderr=end,
    )
    os.close(end)
    shown = b""
    with suppress(OSError):  # a terminal whose other end is closed
        while block := os.read(terminal, 65_536):
            shown += block
    os.close(terminal)
    return process.wait(TIMEOUT_SECONDS), shown.decode(errors="replace")


def words_of(subtitles: Path) -> str:
    lines = [line for line in subtitles.read_text().splitlines() if line and "-->" not in line and not line.isdigit()]
    return re.sub(r"[^a-z ]", "", " ".join(lines).lower())


def check_film(film: Path, sound: LongRecording, platform: LocalPlatform) -> list[int]:
    """Transcribe the film; returns the shares, in percent, that the bar showed."""
    status, shown = transcribe(platform, film.parent, "--format", "srt", "--beside", film)
    assert status == 0, shown
    assert words_of(film.with_suffix(".srt")) == sound.words
    assert platform.apis is not None
    paid = [call["audio"]["sha256"] for call in platform.apis.requests() if call["audio"] and call["status"] == 200]
    assert len(paid) == len(set(paid))
    assert platform.control is not None
    # The platform refuses what is over its limit with a 413.
    assert {request["status"] for request in platform.control.platform()["requests"]}.isdisjoint({413})
    shares = [int(share) for share in re.findall(r"(\d+)%\|", shown)]
    assert shares == sorted(shares)
    return shares


def test_film_goes_up_and_comes_back_as_subtitles(tmp_path: Path) -> None:
    """A film over the payload limit becomes subtitles beside it, and the bar moves within the recording."""
    film = tmp_path / "a film.mov"
    sound = write_film(film, minutes=12, size_bytes=20 * MB)
    with private_platform() as platform:
        shares = check_film(film, sound, platform)
    # Beyond what the upload makes up: how often, the machine's speed decides.
    assert any(20 < share < 100 for share in shares), shares


def test_film_survives_two_kills(tmp_path: Path) -> None:
    """Two kills of the instance at work cost time, and no chunk is paid for twice."""
    film = tmp_path / "film.mov"
    sound = write_film(film, minutes=12, size_bytes=20 * MB)
    with private_platform() as platform:
        assert platform.control is not None
        platform.control.fault("kill", count=2, trigger="queue", seconds=2)
        check_film(film, sound, platform)


@pytest.mark.long
@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_large_film(tmp_path: Path) -> None:
    """450 MB likewise, with two kills."""
    film = tmp_path / "film.mov"
    sound = write_film(film, minutes=60, size_bytes=450 * MB)
    assert film.stat().st_size > 440 * MB
    with private_platform() as platform:
        assert platform.control is not None
        platform.control.fault("kill", count=2, trigger="queue", seconds=4)
        check_film(film, sound, platform)
