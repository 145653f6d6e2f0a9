"""Tests of the page's server: files with a strict policy, and endpoints that only the page may use."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from support.function_folders import written

from emulator.local_platform import LocalPlatform, PlatformOptions

HANDLER = """
def handle(event, context):
    return {"statusCode": 200, "body": "ok"}
"""
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    folder = written(tmp_path_factory.mktemp("function"), HANDLER)
    with LocalPlatform(PlatformOptions(folder=folder, recogniser="stand-in", storage=True), {}) as running:
        yield running


def url_of(platform: LocalPlatform, path: str = "") -> str:
    assert platform.control is not None
    return platform.control.page_url + path


def test_files_have_a_strict_policy(platform: LocalPlatform) -> None:
    """The page loads only its own files, and sends requests only to its own server and the function."""
    page = requests.get(url_of(platform), timeout=TIMEOUT_SECONDS)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f"connect-src 'self' {platform.function.url}" in policy
    assert re.findall(r'src="([^"]+)"', page.text) == ["app.js"]
    script = requests.get(url_of(platform, "app.js"), timeout=TIMEOUT_SECONDS)
    assert "javascript" in script.headers["Content-Type"]
    assert requests.get(url_of(platform, "none.js"), timeout=TIMEOUT_SECONDS).status_code == 404


def test_another_page_is_refused(platform: LocalPlatform) -> None:
    """A page of another origin is refused, also under another host name of this machine."""
    url = url_of(platform, "_emulator/platform")
    own = f"http://{urlsplit(url).netloc}"
    for headers, status in [
        ({}, 200),
        ({"Origin": own}, 200),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "example.com"}, 403),
    ]:
        assert requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS).status_code == status, headers


def test_objects_of_the_bucket(platform: LocalPlatform) -> None:
    """An object can be stored and read, always as plain text; a missing one is a 404."""
    url = url_of(platform, "_emulator/objects/transcripts/a.html")
    assert requests.put(url, data=b"<script>", timeout=TIMEOUT_SECONDS).status_code == 204
    found = requests.get(url, timeout=TIMEOUT_SECONDS)
    assert (found.text, found.headers["X-Content-Type-Options"]) == ("<script>", "nosniff")
    assert found.headers["Content-Type"].startswith("text/plain")
    missing = requests.get(url_of(platform, "_emulator/objects/none"), timeout=TIMEOUT_SECONDS)
    assert (missing.status_code, "none" in missing.json()["error"]["message"]) == (404, True)


def test_faults_of_the_api_are_forwarded(platform: LocalPlatform) -> None:
    """A fault is forwarded to the Generative APIs, and their error for a wrong one is returned."""
    url = url_of(platform, "_emulator/api-faults")
    assert requests.post(url, json={"fault": "500"}, timeout=TIMEOUT_SECONDS).status_code == 204
    assert requests.post(url, json={"fault": "none"}, timeout=TIMEOUT_SECONDS).status_code == 400
    assert requests.delete(url, timeout=TIMEOUT_SECONDS).status_code == 204


def test_files_of_the_page_contain_no_other_host() -> None:
    """No file of the page contains an address of another host, except for the shown examples."""
    folder = Path(__file__).parents[3] / "scripts" / "emulator" / "page" / "static"
    for path in folder.iterdir():
        if path.suffix in {".html", ".css", ".js", ".svg"}:
            text = path.read_text().replace("https://example.com", "").replace("https://…", "")
            assert "https://" not in text, path
