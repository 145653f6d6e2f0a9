"""Draws the README's picture of the page: `PYTHONPATH=scripts:tests python -m page.screenshot`."""

import os
import sys
from pathlib import Path

from support.browser import launched, visiting
from support.recordings import AUDIO

from emulator.local_platform import REPOSITORY, LocalPlatform, PlatformOptions
from emulator.page.endpoints import PAGE_FOLDER

SIZE = (1100, 900)


def draw(folder: Path) -> None:
    """Draw the page with a recording, its transcript and a playing segment, by the function in `folder`."""
    options = PlatformOptions(folder=folder, storage=True)
    with (
        LocalPlatform(options, {"PATH": os.environ["PATH"]}) as platform,
        launched() as browser,
        visiting(browser, platform, size=SIZE) as visit,
    ):
        visit.choose(AUDIO / "jfk.wav")
        visit.transcribe("verbose_json")
        page = visit.page
        page.wait_for_selector("#waveform")
        page.evaluate("document.getElementById('player').currentTime = 6")
        page.wait_for_selector("[aria-current=true]")
        page.mouse.move(0, 0)  # away from the last click, which would look selected
        page.screenshot(path=PAGE_FOLDER.parent / "screenshot.png", animations="disabled", full_page=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY)
