"""Tests of how the page shows answers, with a function that answers by the contract with known times."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browser import INSTALL_TIMEOUT_SECONDS, Visit, visiting
from support.function_folders import written
from support.recordings import AUDIO

from emulator.local_platform import LocalPlatform, PlatformOptions

pytestmark = pytest.mark.timeout(INSTALL_TIMEOUT_SECONDS)  # the first test may have to install the browser

SRT = """1
00:00:00,300 --> 00:00:02,900
And so my fellow
Americans, <b>

2
00:00:08,100 --> 00:00:10,700
ask & what you can do
"""
VTT = """WEBVTT

00:00.300 --> 00:02.900
And so my fellow
Americans, &lt;b&gt;

00:08.100 --> 00:10.700
ask &amp; what you can do
"""
WORDS = "And so my fellow Americans, <b> ask & what you can do"
HANDLER = f"""
import json, sys, time

SRT, VTT = {SRT!r}, {VTT!r}
SEGMENTS = [
    {{"id": 0, "start": 0.3, "end": 2.9, "text": "And so my fellow Americans, <b>"}},
    {{"id": 1, "start": 8.1, "end": 10.7, "text": "ask & what you can do"}},
]

def log(event, message, **fields):
    line = {{"level": "info", "message": message, "request_id": event["headers"]["X-Request-Id"], **fields}}
    print(json.dumps(line), file=sys.stderr, flush=True)

def handle(event, context):
    cors = {{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}}
    if event["httpMethod"] == "OPTIONS":
        return {{"statusCode": 204, "headers": cors}}
    if event["httpMethod"] == "GET":
        return {{"statusCode": 200, "headers": cors, "body": json.dumps({{"models": ["the-model"]}})}}
    body = json.loads(event["body"])
    if body.get("prompt") == "slowly":
        log(event, "trying again", error="The API answered 429")
        time.sleep(3)
    log(event, "request", model="the-model", seconds=11.0, tokens=495, cost=0.25,
        chunks=[[0.0, 3.0], [3.0, 6.0], [7.5, 11.0]], not_sent=[[6.0, 7.5]])
    answer = {{
        "text": " ".join(segment["text"] for segment in SEGMENTS), "model": "the-model", "duration": 11.0,
        "usage": {{"type": "duration", "seconds": 11}}, "task": "transcribe", "language": "en", "segments": SEGMENTS,
        "warnings": ["top_p was not used"],
    }}
    srt, vtt, headers = SRT, VTT, {{**cors, "Access-Control-Expose-Headers": "X-Transcript-Warnings"}}
    if body.get("allow_partial") == "true":
        gap = "From 0:03 to 0:08 nothing could be transcribed: The API answered 500."
        answer["segments"] = [SEGMENTS[0], {{"id": 1, "start": 3, "end": 8, "text": "[…]"}}, SEGMENTS[1]]
        answer |= {{"missing": [[3, 8]], "warnings": [gap]}}
        vtt = vtt.replace("WEBVTT", "WEBVTT\\n\\nNOTE " + gap)
        headers["X-Transcript-Warnings"] = "1"
    rendered = {{"srt": srt, "vtt": vtt}}.get(body["response_format"]) or json.dumps(answer)
    return {{"statusCode": 200, "headers": {{**headers, "Content-Type": "text/plain"}}, "body": rendered}}
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    folder = written(tmp_path_factory.mktemp("function"), HANDLER)
    options = PlatformOptions(folder=folder, recogniser="stand-in", storage=True)
    with LocalPlatform(options, {"PATH": os.environ["PATH"]}) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, platform: LocalPlatform) -> Iterator[Visit]:
    with visiting(browser, platform) as visit:
        visit.choose(AUDIO / "jfk.wav")
        yield visit


def downloaded(visit: Visit, kind: str) -> str:
    with visit.page.expect_download() as download:
        visit.page.click(f"#downloads [data-format={kind}]")
    return Path(download.value.path()).read_text()


def test_all_facts_are_shown(visit: Visit) -> None:
    """Language, length, billed time and warnings are shown, and from the log cost, cuts, and silence not sent."""
    assert visit.transcribe("verbose_json") == WORDS
    visit.page.wait_for_selector("#facts:has-text('cost 0.25')")
    for fact in ("the-model", "en", "11.0 s of sound", "11 s billed", "495 tokens"):
        assert fact in visit.page.inner_text("#facts")
    assert "top_p was not used" in visit.page.inner_text("#warnings")
    label = str(visit.page.get_attribute("#waveform", "aria-label"))
    assert "2 cuts" in label
    assert "1.5 s of silence" in label


def test_gaps_are_shown(visit: Visit) -> None:
    """With gaps allowed, a part that is missing stands in its place among the words, and its warning above them."""
    visit.page.check("#allow_partial")
    visit.transcribe("verbose_json")
    assert visit.page.inner_text("#segments .gap span") == "[…] nothing could be transcribed up to 0:08"
    assert "From 0:03 to 0:08 nothing could be transcribed" in visit.page.inner_text("#warnings")
    visit.page.click("#view-code")
    assert '"allow_partial":"true"' in visit.page.inner_text("body")


def test_warnings_of_subtitles_are_shown(visit: Visit) -> None:
    """The notes of WebVTT are warnings; where a format has no place for them, the page says how many there are."""
    visit.page.check("#allow_partial")
    visit.transcribe("vtt")
    assert "From 0:03 to 0:08 nothing could be transcribed" in visit.page.inner_text("#warnings")
    visit.transcribe("srt")
    assert "1 warning. The formats" in visit.page.inner_text("#warnings")


def test_words_go_with_the_sound(visit: Visit) -> None:
    """A click on a segment plays it from its start, and the segment that is playing is marked."""
    visit.transcribe("verbose_json")
    second = visit.page.locator("#segments button").nth(1)
    second.click()
    visit.page.wait_for_selector("#segments li:nth-child(2) [aria-current=true]")
    assert visit.page.evaluate("document.getElementById('player').currentTime") >= 8.1
    assert visit.page.locator("[aria-current=true]").count() == 1


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_are_read(visit: Visit, kind: str) -> None:
    """Subtitles are shown as text with times, and downloaded unchanged."""
    assert visit.transcribe(kind) == WORDS
    assert visit.page.locator("#segments time").all_inner_texts() == ["0:00", "0:08"]
    assert downloaded(visit, kind) == {"srt": SRT, "vtt": VTT}[kind]
    assert downloaded(visit, "txt") == WORDS + "\n"
    assert not visit.page.is_enabled("#downloads [data-format=json]")


def test_subtitles_are_written(visit: Visit) -> None:
    """The page writes subtitles from segments, without another request."""
    visit.transcribe("verbose_json")
    one_line = re.sub(r"fellow\nAmericans", "fellow Americans", SRT)
    assert downloaded(visit, "srt") == one_line
    assert downloaded(visit, "vtt").count("&amp;") == 1
    assert '"language": "en"' in downloaded(visit, "json")


def test_progress_is_shown(visit: Visit) -> None:
    """While the function works, the page shows the time, the sound's length, and the log's latest line."""
    page = visit.page
    page.wait_for_selector("#source-note:has-text('0:11')")
    page.fill("#prompt", "slowly")
    page.click("#send")
    assert "0:11 of sound" in page.inner_text("#progress-text")
    page.wait_for_selector("#progress-text:has-text('trying again: The API answered 429')")
    page.click("#cancel")
    page.wait_for_selector("#source-note:has-text('Cancelled')")
    assert not page.is_visible("#progress")
    assert page.is_enabled("#send")
