"""Tests of the page in a real browser, on the whole local platform: transcripts, and the platform's state."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser
from support.browser import DESKTOP, INSTALL_TIMEOUT_SECONDS, PHONE, Visit, visiting
from support.function_folders import wait_until
from support.loopback import serve
from support.recordings import AUDIO, recording

from emulator.generative.quota import QuotaOptions
from emulator.local_platform import LocalPlatform, PlatformOptions

pytestmark = pytest.mark.timeout(INSTALL_TIMEOUT_SECONDS)  # the first test may have to install the browser

MP3 = AUDIO / "jfk.mp3"
# The start of the stub recogniser's text; the rest describes bytes, and the function may send others.
# What the page keeps of a job that runs.
REMEMBERED_JOB = "localStorage.getItem('transcriber.job')"
WORDS = "stand-in transcript of 11.1 s"
# Characters that need quoting in a shell, JSON, Python or JavaScript.
AWKWARD_PROMPT = """It's "so": 100 % of $HOME, `a\\b`, é 好 %s"""
SCHEDULE = """
functions:
  transcribe:
    events:
      - schedule:
          rate: "0 3 * * *"
          input: {"sweep": {"bucket": "recordings"}}
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    config = tmp_path_factory.mktemp("config") / "serverless.yml"
    config.write_text(SCHEDULE)
    environment = {"PATH": os.environ["PATH"], "ALLOWED_PRIVATE_HOSTS": "127.0.0.1", "TIME_LIMIT": "20"}
    options = PlatformOptions(
        recogniser="stand-in",
        storage=True,
        config=config,
        quota=QuotaOptions(requests_per_minute=None, minute_seconds=5),
    )
    with LocalPlatform(options, environment) as running:
        yield running


@pytest.fixture
def visit(request: pytest.FixtureRequest, platform: LocalPlatform, browser: Browser) -> Iterator[Visit]:
    """A newly opened page; at its end, it had no error, and sent requests only to the platform."""
    size, scheme = getattr(request, "param", (DESKTOP, "light"))
    with visiting(browser, platform, size=size, scheme=scheme) as visit:
        yield visit


def test_upload(visit: Visit) -> None:
    """A chosen file is transcribed, and shown with its model, length, waveform, timings and downloads."""
    visit.choose(MP3)
    assert visit.transcribe().startswith(WORDS)
    page = visit.page
    assert "whisper-large-v3" in page.inner_text("#facts")
    assert "11.1 s" in page.inner_text("#facts")
    page.wait_for_selector("#waveform")
    assert "0:11 of sound" in str(page.get_attribute("#waveform", "aria-label"))
    assert page.locator("#timings .bar").count() == 4
    with page.expect_download() as download:
        page.click("#downloads [data-format=txt]")
    assert download.value.suggested_filename == "jfk.txt"
    assert Path(download.value.path()).read_text() == visit.words() + "\n"


def test_dropped_file(visit: Visit) -> None:
    """A file dropped on the page is used like a chosen one."""
    encoded = base64.b64encode(MP3.read_bytes()).decode()
    visit.page.evaluate(
        """async (encoded) => {
            const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], "dropped.mp3"));
            document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }""",
        encoded,
    )
    assert "dropped.mp3" in visit.page.inner_text("#source-note")
    assert visit.transcribe().startswith(WORDS)


def test_address(visit: Visit) -> None:
    """The function downloads from an address, and the page never does."""
    with serve(lambda peer: peer.answer(recording("jfk.mp3"))) as server:
        visit.page.fill("#url", f"{server.url}/talk.mp3")
        assert visit.transcribe().startswith(WORDS)
    assert not visit.page.is_visible("#sound")


def test_microphone(visit: Visit) -> None:
    """The microphone's sound becomes the recording, in the browser's own format."""
    visit.page.click("#record")
    visit.page.wait_for_selector("#record:has-text('Stop 0:01')")
    visit.page.click("#record")
    visit.page.wait_for_selector("#source-note:has-text('recording.webm')")


def test_file_over_the_payload_limit(visit: Visit, tmp_path: Path) -> None:
    """A file over the payload limit is uploaded past the function, with a note, and transcribed from the bucket."""
    path = tmp_path / "long.wav"
    with wave.open(str(AUDIO / "jfk.wav")) as once, wave.open(str(path), "wb") as often:
        often.setparams(once.getparams())
        often.writeframes(once.readframes(once.getnframes()) * 20)
    assert path.stat().st_size > 6_291_456
    visit.choose(path)
    assert visit.transcribe().startswith("stand-in transcript of")
    assert "Over 6 MiB, so it is in the bucket recordings" in visit.page.inner_text("#source-note")


@pytest.mark.parametrize("response_format", ["json", "text", "verbose_json", "srt", "vtt"])
def test_formats(visit: Visit, response_format: str) -> None:
    """Each format is shown as text, with times if the format has them."""
    visit.choose(MP3)
    # Subtitles are lines of limited length, so the words alone are compared.
    assert " ".join(visit.transcribe(response_format).split()).startswith(WORDS)
    is_timed = response_format in {"verbose_json", "srt", "vtt"}
    assert visit.page.locator("#segments button").count() >= is_timed
    assert visit.page.is_enabled("#downloads [data-format=srt]") == is_timed
    if is_timed:
        visit.page.click("#segments button")
        visit.page.wait_for_selector("#segments [aria-current=true]")


@pytest.mark.parametrize("source", ["file", "url"])
def test_code_that_is_shown_runs(visit: Visit, tmp_path: Path, source: str) -> None:
    """The shown code prints the page's words, even with awkward prompts, in each language that can run here."""
    name = "it's a talk.mp3"
    (tmp_path / name).write_bytes(MP3.read_bytes())
    with serve(lambda peer: peer.answer(recording("jfk.mp3"))) as server:
        if source == "file":
            visit.choose(tmp_path / name)
        else:
            visit.page.fill("#url", f"{server.url}/talk.mp3")
        visit.page.fill("#prompt", AWKWARD_PROMPT)
        visit.page.fill("#language", "en")
        visit.page.fill("#temperature", "0.2")
        words = visit.transcribe()
        assert words.startswith(WORDS)
        # The page has a job for an address, whose copy is cut as objects are, and its tags are not sent.
        expected = words if source == "file" else WORDS
        commands = {
            "curl": ["bash", "-euo", "pipefail", "-c", visit.code("curl")],
            "requests": [sys.executable, "-c", visit.code("requests")],
            "openai": [sys.executable, "-c", visit.code("openai")],
            "fetch": ["node", "--input-type=module", "--eval", visit.code("fetch")],
        }
        for language, command in commands.items():
            if not shutil.which(command[0]):
                continue
            done = subprocess.run(  # noqa: S603 # what the page shows is what is tested
                command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, (language, done.stderr)
            assert expected in done.stdout, language


def test_code_for_a_model_that_only_transcribes(visit: Visit, tmp_path: Path) -> None:
    """For a model that only transcribes, the SDK's code calls the path of transcriptions, and runs as well."""
    (tmp_path / "jfk.mp3").write_bytes(MP3.read_bytes())
    visit.choose(tmp_path / "jfk.mp3")
    visit.page.select_option("#model", "whisper-large-v3")
    visit.page.select_option("#response_format", "json")
    code = visit.code("openai")
    done = subprocess.run(  # noqa: S603 # what the page shows is what is tested
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "/audio/transcriptions" in code) == (0, True), done.stderr
    assert WORDS in done.stdout


def test_links_the_description(visit: Visit) -> None:
    """The dialog with the code has the address of the function's OpenAPI document."""
    address = visit.page.get_attribute("#openapi", "href") or ""
    assert requests.get(address, timeout=60).json()["openapi"].startswith("3.1")


def test_copies(visit: Visit) -> None:
    """Buttons copy the code and the words, and confirm it."""
    page = visit.page
    visit.choose(MP3)
    visit.transcribe()
    page.click("#copy-text")
    page.wait_for_selector("#copied:has-text('Copied.')")
    assert page.evaluate("navigator.clipboard.readText()") == visit.words()
    page.click("#view-code")
    page.click("#copy-code")
    page.wait_for_selector("#copy-note:has-text('Copied.')")
    assert page.evaluate("navigator.clipboard.readText()") == page.text_content("#code-text")


def test_errors(visit: Visit, tmp_path: Path) -> None:
    """An error is shown with its cause, advice and request id; a wrong field is marked; the next request succeeds."""
    (tmp_path / "notes.txt").write_text("This is not a recording. " * 20)
    visit.choose(tmp_path / "notes.txt")
    visit.page.select_option("#response_format", "json")
    visit.page.click("#send")
    visit.page.wait_for_selector("#failure:not([hidden])")
    shown = visit.page.inner_text("#failure")
    assert "not a recording that can be read" in shown
    assert "Choose another file" in shown
    assert re.search(r"request [0-9a-f-]{36}", shown)
    assert visit.page.evaluate("document.activeElement.id") == "failure"
    visit.choose(MP3)
    visit.page.fill("#temperature", "9")
    visit.page.click("#send")
    visit.page.wait_for_selector("#temperature[aria-invalid=true]")
    visit.page.fill("#temperature", "")
    assert visit.transcribe().startswith(WORDS)


def test_nothing_chosen(visit: Visit) -> None:
    """Without a recording nothing is sent, and the page says what is missing."""
    visit.page.click("#send")
    assert "first" in visit.page.inner_text("#source-note")
    assert not visit.page.is_visible("#failure")


def test_fault(visit: Visit) -> None:
    """A fault that is switched on hits the next request, and none after it is switched off."""
    for fault, switched_off in (("api length", False), ("api length", True)):
        visit.page.click("#tab-platform")
        visit.page.select_option("#fault", fault)
        visit.page.click("#fault-form [type=submit]")
        visit.page.wait_for_selector("#fault-note:has-text('hits the next')")
        if switched_off:
            visit.page.click("#clear-faults")
            visit.page.wait_for_selector("#fault-note:has-text('off')")
        visit.page.click("#tab-playground")
        visit.choose(MP3)
        if switched_off:
            assert visit.transcribe().startswith(WORDS)
        else:
            visit.page.select_option("#response_format", "json")
            visit.page.select_option("#model", "voxtral-small-24b-2507")  # otherwise the next model would be called
            visit.page.click("#send")
            visit.page.wait_for_selector("#failure:not([hidden])")
            assert "output limit" in visit.page.inner_text("#failure")


def test_platform(visit: Visit) -> None:
    """The second tab shows requests, an announced upload, a fired schedule, and the log."""
    page = visit.page
    page.click("#tab-platform")
    page.set_input_files("#object", MP3)
    page.wait_for_selector("#objects tr:has-text('jfk.mp3')")
    page.wait_for_selector("#requests tr:has-text('queue')")
    page.click("#crons button")
    page.wait_for_selector("#requests tr:has-text('cron')")
    page.wait_for_selector('#log:has-text(\'"message": "request"\')')
    assert page.locator("#instances li").count() == 1
    assert "Delivered" in page.inner_text("#queue")


def test_quota(visit: Visit) -> None:
    """The second tab shows how much of the quota is used, and what was paid."""
    visit.choose(MP3)
    visit.transcribe()
    visit.page.click("#tab-platform")
    visit.page.wait_for_selector("#quota li:has-text('of 1,800 audio seconds a minute')")
    assert re.search(r"paid: [1-9]\d* calls", visit.page.inner_text("#quota"))


def test_keyboard_alone(visit: Visit) -> None:
    """Everything can be done by keyboard alone, and the focus moves to the expected element."""
    page = visit.page

    def tab_to(element: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == element:
                return
        raise AssertionError(element)

    with serve(lambda peer: peer.answer(recording("jfk.mp3"))) as server:
        tab_to("url")
        page.keyboard.type(f"{server.url}/talk.mp3")
        tab_to("response_format")
        page.keyboard.type("json")
        page.focus("#prompt")
        tab_to("send")
        page.keyboard.press("Enter")
        page.wait_for_selector("#answer:not([hidden])")
        assert page.evaluate("document.activeElement.id") == "answer"
    assert visit.words().startswith(WORDS)
    page.focus("#send")
    tab_to("view-code")
    page.keyboard.press("Enter")
    page.focus("#tab-curl")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-requests"
    assert "import requests" in str(page.text_content("#code-text"))
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "view-code"
    page.focus("#tab-playground")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#platform:not([hidden]) #instances li")


@pytest.mark.parametrize(
    "visit", [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"], indirect=True
)
def test_accessibility(visit: Visit) -> None:
    """Both tabs, an answer, an error and the code have no serious accessibility violation, and fit the screen."""
    page = visit.page
    visit.choose(MP3)
    visit.transcribe()
    page.click("#options details summary")
    assert visit.serious_findings() == []
    page.click("#view-code")
    assert visit.serious_findings() == []
    page.keyboard.press("Escape")
    page.fill("#temperature", "9")
    page.click("#send")
    page.wait_for_selector("#failure:not([hidden])")
    assert visit.serious_findings() == []
    page.click("#tab-platform")
    page.wait_for_selector("#requests tr")
    assert visit.serious_findings() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red = int(re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[0])
    assert (red < 64) == dark


def test_page_goes_on_with_a_job(visit: Visit, tmp_path: Path) -> None:
    """A page that is closed while its job runs shows the transcript when it is opened again."""
    path = tmp_path / "long.wav"
    with wave.open(str(AUDIO / "jfk.wav")) as once, wave.open(str(path), "wb") as often:
        often.setparams(once.getparams())
        often.writeframes(once.readframes(once.getnframes()) * 20)
    visit.choose(path)
    page = visit.page
    page.click("#send")
    wait_until(lambda: page.evaluate(REMEMBERED_JOB) is not None)
    other = page.context.new_page()
    address = page.url
    page.close()
    other.goto(address)
    other.wait_for_selector("#answer:not([hidden])")
    assert "stand-in transcript" in other.inner_text("#segments")
    assert other.evaluate(REMEMBERED_JOB) is None


def test_cancelled_job_is_gone(visit: Visit, platform: LocalPlatform) -> None:
    """Cancelling a job removes it from the function, and the page forgets it."""
    with serve(lambda peer: peer.wait()) as server:
        visit.page.fill("#url", f"{server.url}/talk.mp3")
        visit.page.click("#send")
        wait_until(lambda: visit.page.evaluate(REMEMBERED_JOB) is not None)
        job = json.loads(visit.page.evaluate(REMEMBERED_JOB))["id"]
        visit.page.click("#cancel")
        visit.page.wait_for_selector("#source-note:has-text('Cancelled')")
    assert visit.page.evaluate(REMEMBERED_JOB) is None
    address = f"{platform.function.url}/v1/audio/transcriptions/{job}"
    wait_until(lambda: requests.get(address, timeout=60).status_code == 404)


@pytest.mark.parametrize("visit", [(PHONE, "light")], indirect=True)
def test_transcript_comes_into_view_on_a_phone(visit: Visit) -> None:
    """On a small screen the options are folded away, and the transcript is in view when it is there."""
    assert not visit.page.is_visible("#response_format")
    visit.choose(MP3)
    visit.page.click("#send")
    visit.page.wait_for_selector("#answer:not([hidden])")
    top = "document.getElementById('answer').getBoundingClientRect().top / innerHeight"
    wait_until(lambda: visit.page.evaluate(top) < 0.5)
