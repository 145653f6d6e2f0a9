"""A browser for tests of the page: Debian's Chromium, driven by Playwright; errors in it fail the test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from support.shared import one_at_a_time

from emulator.local_platform import LocalPlatform

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
# For 90 MB from a package server, which may be slow.
INSTALL_TIMEOUT_SECONDS = 600
WAIT_MILLISECONDS = 20_000

DESKTOP: Final = (1280, 900)
PHONE: Final = (375, 812)


def chromium() -> str:
    """The path of Chromium, installed if necessary; if that is not possible, the test is skipped with the reason."""
    with one_at_a_time("chromium"):
        return shutil.which("chromium") or _install_chromium()


def _install_chromium() -> str:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("the page is tested in Chromium, which is not installed: apt-get install chromium")
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_TIMEOUT_SECONDS, check=False)  # noqa: S603 # no input
        if done.returncode:
            pytest.skip(f"the page is tested in Chromium, which cannot be installed: {done.stderr.decode()[-300:]}")
    return shutil.which("chromium") or pytest.fail("the package chromium has no command of this name")


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser
        browser.close()


class Visit:
    """An open page, with the hosts that it sent requests to and the errors that it had."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._log(message.type, message.text))
        page.goto(url)
        page.wait_for_selector("#model option:nth-child(2)", state="attached")

    def _log(self, kind: str, text: str) -> None:
        # Not the browser's own line for an error status: tests check what the page shows for it.
        if kind in {"error", "warning"} and "the server responded with a status of" not in text:
            self.errors.append(text)

    def choose(self, path: Path) -> None:
        self.page.set_input_files("#file", path)

    def open_options(self) -> None:
        """Unfold the options, which a small screen folds away."""
        if not self.page.is_visible("#response_format"):
            self.page.click("#options > summary")

    def transcribe(self, response_format: str = "json") -> str:
        """Transcribe, and return the words that the page shows; an error on the page fails the test."""
        self.open_options()
        self.page.select_option("#response_format", response_format)
        self.page.click("#send")
        self.page.wait_for_selector("#answer:not([hidden]), #failure:not([hidden])")
        assert not self.page.is_visible("#failure"), self.page.inner_text("#failure")
        return self.words()

    def words(self) -> str:
        spans = self.page.locator("#segments li span").all_inner_texts()
        return " ".join(spans) if spans else self.page.inner_text("#text")

    def code(self, language: str) -> str:
        self.page.click("#view-code")
        self.page.click(f"#tab-{language}")
        text = self.page.text_content("#code-text")
        self.page.keyboard.press("Escape")
        assert text
        return text

    def serious_findings(self) -> list[dict[str, Any]]:
        """The accessibility violations that axe finds on the page now and rates serious or critical."""
        violations: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [found for found in violations if found["impact"] in {"serious", "critical"}]


@contextmanager
def visiting(
    browser: Browser, platform: LocalPlatform, *, size: tuple[int, int] = DESKTOP, scheme: str = "light"
) -> Iterator[Visit]:
    """A newly opened page; at its end, it had no error, and sent requests only to the platform."""
    assert platform.control is not None
    screen: dict[str, Any] = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme}
    context = browser.new_context(**screen, permissions=["microphone", "clipboard-read", "clipboard-write"])
    visit = Visit(context.new_page(), platform.control.page_url)
    yield visit
    context.close()
    assert visit.errors == []
    own = {platform.control.page_url, platform.function.url}
    if platform.storage is not None:
        own.add(platform.storage.access.endpoint)
    assert visit.hosts <= {urlsplit(url).netloc for url in own} | {""}
