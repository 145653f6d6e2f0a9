"""The real function on the local platform: what a client sees, on good days and on bad ones.

A stand-in recogniser answers, whose text tells exactly which bytes arrived at the API. All is run twice, with the
function as it stands in this repository and with the archive of it: what is tested is what is shipped, and modules that
an archive lacks would be missed first where errors are handled. Of the faults, the archive meets one of each kind
unless --all is asked for; and of the functions that need an environment of their own, it is one.
"""

import base64
import hashlib
import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from support.archives import BUILD_TIMEOUT_SECONDS, built
from support.loopback import Peer, serve
from support.recordings import hum, recording

from emulator.generative.server import GenerativeServer
from emulator.local_platform import REPOSITORY, LocalPlatform, PlatformOptions

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_SECONDS)  # the first test of the archive waits for it

VOXTRAL, WHISPER = "voxtral-small-24b-2507", "whisper-large-v3"
CHAT, TRANSCRIPTIONS = "/v1/chat/completions", "/v1/audio/transcriptions"
TIME_LIMIT_SECONDS = 5

MP3 = recording("jfk.mp3")
WAV = recording("jfk.wav")
TEXT = base64.b64encode(MP3).decode()


class Local:
    """The platform with what a test asks of it."""

    def __init__(self, platform: LocalPlatform) -> None:
        assert platform.apis is not None
        self.url = platform.function.url
        self.apis: GenerativeServer = platform.apis

    def post(self, body: dict[str, Any] | bytes | str, **options: Any) -> requests.Response:
        if isinstance(body, dict):
            return requests.post(self.url, json=body, timeout=60, **options)
        return requests.post(self.url, data=body, timeout=60, **options)

    def transcript(self, body: dict[str, Any] | bytes | str, **options: Any) -> dict[str, Any]:
        answer = self.post(body, **options)
        assert answer.status_code == 200, answer.text
        transcript: dict[str, Any] = answer.json()
        return transcript

    def error(self, body: dict[str, Any] | bytes | str, **options: Any) -> tuple[int, dict[str, Any]]:
        answer = self.post(body, **options)
        error: dict[str, Any] = answer.json()["error"]
        return answer.status_code, error

    def calls(self, path: str) -> list[dict[str, Any]]:
        return [request for request in self.apis.requests() if request["path"] == path]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with both, but for those of the faults."""
    served: list[Any] = ["source", "archive"]
    if metafunc.function in ONE_IS_ENOUGH:
        served = ["source", pytest.param("archive", marks=pytest.mark.long)]
    elif metafunc.function is test_one_fault_of_each_kind:
        served = ["archive"]
    if "function" in metafunc.fixturenames:
        metafunc.parametrize("function", served, indirect=True, scope="module")


@pytest.fixture(scope="module")
def function(request: pytest.FixtureRequest) -> Path:
    """What is served: a folder, or an archive with dependencies for this machine."""
    return REPOSITORY if request.param == "source" else built("--local").path


@pytest.fixture(scope="module")
def platform(function: Path) -> Iterator[LocalPlatform]:
    environment = {
        "PATH": os.environ["PATH"],
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "TIME_LIMIT": str(TIME_LIMIT_SECONDS),
        "MODELS": f"{VOXTRAL},{WHISPER}",
    }
    with LocalPlatform(PlatformOptions(folder=function, recogniser="stand-in"), environment) as running:
        yield running


@pytest.fixture
def local(platform: LocalPlatform) -> Local:
    local = Local(platform)
    local.apis.clear()
    return local


def arrived(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


@pytest.mark.parametrize("model", [VOXTRAL, WHISPER])
@pytest.mark.parametrize(("name", "label"), [("jfk.mp3", "mp3"), ("jfk.wav", "wav")])
@pytest.mark.parametrize("source", ["url", "audio", "input_audio", "body"])
def test_exactly_the_bytes_arrive(local: Local, source: str, name: str, label: str, model: str) -> None:
    """From each kind of source, through each API, what the API takes as it is arrives so, labelled by its bytes."""
    data = recording(name)
    encoded = base64.b64encode(data).decode()
    with serve(lambda peer: peer.answer(data, Content_Type="text/html", ETag='"v"')) as server:
        bodies: dict[str, dict[str, Any] | str] = {
            "url": {"url": f"{server.url}/wrong-name.ogg"},
            "audio": {"audio": f"data:audio/ogg;base64,{encoded}"},
            "input_audio": {"input_audio": {"data": encoded, "format": "ogg"}},
            "body": encoded,
        }
        transcript = local.transcript(bodies[source], params={"model": model})
    assert arrived(data) in transcript["text"]
    assert (transcript["model"], transcript["duration"]) == (model, pytest.approx(11.0, abs=0.1))
    (call,) = local.calls(CHAT if model == VOXTRAL else TRANSCRIPTIONS)
    assert call["audio"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert call["transfer_encoding"] is None
    if model == VOXTRAL:
        assert call["audio"]["format"] == label
    else:
        assert call["audio"]["filename"] == f"audio.{label}"
        assert call["audio"]["content_type"] == {"mp3": "audio/mpeg", "wav": "audio/wav"}[label]


@pytest.mark.parametrize(
    "body",
    [
        TEXT,
        base64.encodebytes(MP3),
        base64.encodebytes(MP3).replace(b"\n", b"\r\n"),
        base64.urlsafe_b64encode(MP3),
        TEXT.rstrip("="),
        f"data:audio/mpeg;base64,{TEXT}",
        json.dumps({"audio": TEXT}),
        json.dumps({"audio": TEXT}, indent=2).replace("\n", "\r\n"),
    ],
    ids=["base64", "lines", "crlf", "url-safe", "unpadded", "data-url", "json", "json-lines"],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "audio/mpeg", None])
def test_bodies_that_work(local: Local, body: bytes | str, content_type: str | None) -> None:
    """Whatever its content type says, a body with base64 text is transcribed, as the platform hands it on."""
    headers = {"Content-Type": content_type} if content_type else {}
    assert arrived(MP3) in local.transcript(body, headers=headers)["text"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"true", "not an object"),
        (b"1234", "not an object"),
        (b"null", "not an object"),
        (b"ping", "neither"),
        (MP3, "destroys binary bodies"),
        (WAV, "destroys binary bodies"),
        (b"\x1f\x8b\x08\x00" + MP3[:100], "destroys binary bodies"),
        ('{"url": "é"}'.encode("utf-16"), "destroys binary bodies"),
        ('{"url": "é"}'.encode("latin-1"), "not UTF-8"),
        (f"{TEXT[:40]} {TEXT[41:]}".encode(), "a space"),
        (b"url=talk.mp3", "http"),
    ],
    ids=["empty", "true", "1234", "null", "ping", "mp3", "wav", "gzip", "utf-16", "latin-1", "space", "form"],
)
def test_bodies_that_cannot_work(local: Local, body: bytes, says: str) -> None:
    """Every other body of a client is refused with what to do instead, and costs no call of the API."""
    status, error = local.error(body)
    assert (status, says in error["message"]) == (400, True), error
    assert local.calls(CHAT) == []


def test_multipart_is_refused(local: Local) -> None:
    """A form with a file, which the platform destroys, is recognised as one."""
    answer = requests.post(local.url, files={"file": ("a.mp3", MP3)}, timeout=60)
    assert answer.status_code == 400
    assert "multipart form" in answer.json()["error"]["message"]


def test_over_the_platforms_limit(local: Local) -> None:
    """A body over the platform's limit is refused by the platform; a recording of that size works by its address."""
    data = hum(240, pauses=[(4, 236)])  # so little sound that the stub's text is enough for it
    assert len(data) > 6_291_456
    assert local.post({"audio": base64.b64encode(data).decode()}).status_code == 413
    with serve(lambda peer: peer.answer(data, ETag='"v"')) as server:
        assert arrived(data) in local.transcript({"url": server.url})["text"]


def test_text_format_and_headers(local: Local) -> None:
    """The text answer is text; ids and timings are in the headers of each answer, errors too."""
    answer = local.post(TEXT, params={"response_format": "text"}, headers={"X-Request-Id": "my-id"})
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("stand-in transcript of 11.")
    assert answer.text.endswith("\n")
    for each in (answer, local.post(b"ping", headers={"X-Request-Id": "my-id"})):
        assert each.headers["X-Request-Id"] == "my-id"
        assert [part.split(";")[0] for part in each.headers["Server-Timing"].split(", ")] == [
            "download",
            "prepare",
            "api",
            "total",
        ]


def test_other_methods(local: Local) -> None:
    """GET describes the function, OPTIONS lets browsers in, HEAD has no body, and the rest is 405 with Allow."""
    assert requests.get(local.url, timeout=60).json()["status"] == "ok"
    preflight = requests.options(local.url, timeout=60)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert requests.head(local.url, timeout=60).text == ""
    connection = http.client.HTTPConnection(local.url.removeprefix("http://"), timeout=60)
    connection.request("BREW", "/")
    refused = connection.getresponse()
    assert (refused.status, refused.getheader("Allow")) == (405, "GET, HEAD, OPTIONS, POST")
    connection.close()


@dataclass(frozen=True)
class Case:
    """A fault, how often it strikes, and what the client sees: a status, and words of the answer."""

    fault: str
    count: int
    status: int
    says: str
    order: dict[str, float] = field(default_factory=dict)


ALWAYS = 99
CASES = [
    Case("429", 2, 200, "stand-in", {"retry_after": 0}),
    Case("429", 1, 200, "stand-in", {"retry_after": 1}),
    Case("429", ALWAYS, 429, "429", {"retry_after": 30}),
    Case("500", 2, 200, "stand-in"),
    Case("500", ALWAYS, 502, "500"),
    Case("504", 1, 200, "stand-in"),
    Case("504", ALWAYS, 504, "504"),
    Case("error-in-200", 1, 200, "stand-in"),
    Case("error-in-200", ALWAYS, 502, "answered"),
    Case("garbage", 1, 200, "stand-in"),
    Case("garbage", ALWAYS, 502, "not JSON"),
    Case("reset", 1, 200, "stand-in"),
    Case("reset", ALWAYS, 502, "connection"),
    Case("cut", 1, 200, "stand-in"),
    Case("cut", ALWAYS, 502, "connection"),
    Case("wait", 1, 200, "stand-in", {"seconds": 1.0}),
    Case("wait", 1, 504, "in time", {"seconds": 30.0}),
    Case("empty", 1, 200, ""),
]
ONE_OF_EACH = list({case.fault: case for case in CASES if case.fault != "wait"}.values())


@pytest.mark.parametrize(("model", "path"), [(VOXTRAL, CHAT), (WHISPER, TRANSCRIPTIONS)])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}-{case.count}-{case.status}")
def test_faults_of_the_api(local: Local, model: str, path: str, case: Case) -> None:
    """What a retry cures, the client never sees; what it does not cure is the contract's error, and in time."""
    check_fault(local, model, path, case)


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=lambda case: f"{case.fault}-{case.count}-{case.status}")
def test_one_fault_of_each_kind(local: Local, case: Case) -> None:
    """The archive has all that it takes to handle errors."""
    check_fault(local, VOXTRAL, CHAT, case)


def check_fault(local: Local, model: str, path: str, case: Case) -> None:
    local.apis.fault(case.fault, count=case.count, path=path, **case.order)
    answer = local.post({"audio": TEXT, "model": model})
    assert answer.status_code == case.status, answer.text
    body = answer.json()
    if case.status == 200:
        assert case.says in body["text"]
    else:
        assert case.says in body["error"]["message"]
        assert local.apis.key not in answer.text
    if case.status == 429:
        assert answer.headers["Retry-After"] == "30"
        assert len(local.calls(path)) == 1


def test_stop_for_length_is_an_error(local: Local) -> None:
    """A transcript that the named model cut is not returned, and not repeated with the same budget."""
    local.apis.fault("length", path=CHAT)
    status, error = local.error({"audio": TEXT, "model": VOXTRAL})
    assert (status, error["code"]) == (502, "transcript_truncated")
    status, error = local.error({"audio": TEXT, "max_tokens": 3})
    assert (status, error["param"]) == (502, "max_tokens")
    assert len(local.calls(CHAT)) == 2


def test_stop_for_length_has_the_next_model_asked(local: Local) -> None:
    """A client that leaves the model open gets the next one's transcript, where a short one has no end."""
    local.apis.fault("length", path=CHAT)
    answer = local.post({"audio": TEXT}).json()
    assert (answer["model"], len(local.calls(CHAT)), len(local.calls(TRANSCRIPTIONS))) == (WHISPER, 1, 1)


def test_retired_model(platform: LocalPlatform, function: Path) -> None:
    """With the preferred model gone, a new instance answers by the next one, with one look-up in all its life."""
    assert platform.apis is not None
    environment = {
        "PATH": os.environ["PATH"],
        "GENERATIVE_API_KEY": platform.apis.key,
        "GENERATIVE_API_URL": platform.apis.url,
        "MODELS": f"{VOXTRAL},{WHISPER}",
    }
    platform.apis.clear()
    platform.apis.set_models([WHISPER])
    with LocalPlatform(PlatformOptions(folder=function), environment) as new:
        for _ in range(3):
            answer = requests.post(new.function.url, data=TEXT, timeout=60).json()
            assert answer["model"] == WHISPER
    paths = [request["path"] for request in platform.apis.requests()]
    assert paths == ["/v1/models", *[TRANSCRIPTIONS] * 3]


def test_private_address_is_refused(platform: LocalPlatform, function: Path) -> None:
    """Without the operator's word, an address on loopback is refused and not connected to."""
    assert platform.apis is not None
    environment = {"GENERATIVE_API_KEY": platform.apis.key, "GENERATIVE_API_URL": platform.apis.url}
    with serve(Peer.wait) as server, LocalPlatform(PlatformOptions(folder=function), environment) as new:
        answer = requests.post(new.function.url, json={"url": server.url}, timeout=60)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "address_refused")
        assert server.requests == []


def test_wrong_key_names_the_setting(platform: LocalPlatform, function: Path) -> None:
    """A key that the API does not take is a 500 that names the variable and keeps the key."""
    assert platform.apis is not None
    environment = {"GENERATIVE_API_KEY": "a-wrong-key", "GENERATIVE_API_URL": platform.apis.url}
    with LocalPlatform(PlatformOptions(folder=function), environment) as new:
        answer = requests.post(new.function.url, data=TEXT, timeout=60)
    assert (answer.status_code, answer.json()["error"]["param"]) == (500, "GENERATIVE_API_KEY")
    assert "a-wrong-key" not in answer.text


ONE_IS_ENOUGH = (test_faults_of_the_api, test_private_address_is_refused, test_wrong_key_names_the_setting)
