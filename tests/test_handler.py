"""The handler: an event goes in, an answer comes out, whatever happens on the way."""

import base64
import importlib.util
import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from encoding import encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from long_recordings import LongRecording, marked_speech
from loopback import Conversation, Loopback, Peer, body_of, serve
from recordings import hum, recording, silence

from emulator.marker_recogniser import MarkerRecogniser

HANDLER = Path(__file__).parent.parent / "handler.py"
KEY = "11111111-2222-3333-4444-555555555555"
WAV, MP3 = recording("jfk.wav"), recording("jfk.mp3")
VOXTRAL, WHISPER = "voxtral-small-24b-2507", "whisper-large-v3"
HEARD = "And so my fellow Americans ask not what your country can do for you."

Handle = Callable[[object, object], dict[str, Any]]


class FakeApi:
    """What the API does in a test: which models there are, and how each call is answered."""

    def __init__(self) -> None:
        self.models = [VOXTRAL, WHISPER]
        self.calls: list[str] = []
        self.conversation: Callable[[Peer], None] = lambda peer: peer.answer(json.dumps({"text": HEARD}).encode())

    def __call__(self, peer: Peer) -> None:
        self.calls.append(peer.path)
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": model} for model in self.models]}).encode())
        elif peer.path == "/chat/completions":
            choice = {"message": {"content": HEARD}, "finish_reason": "stop"}
            peer.answer(json.dumps({"choices": [choice]}).encode())
        else:
            self.conversation(peer)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def api_server(api: FakeApi) -> Iterator[Loopback]:
    with serve(api) as server:
        yield server


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch, api_server: Loopback) -> Handle:
    """The handler of a new instance whose environment names the API of this test."""
    for name in list(os.environ):
        if name.startswith(("SCW_", "GENERATIVE_", "MODEL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GENERATIVE_API_KEY", KEY)
    monkeypatch.setenv("GENERATIVE_API_URL", api_server.url)
    monkeypatch.setenv("TIME_LIMIT", "3")
    return new_instance()


def new_instance() -> Handle:
    spec = importlib.util.spec_from_file_location("handler_of_a_test", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Handle = module.handle
    return function


def post(body: object, **fields: object) -> dict[str, object]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"httpMethod": "POST", "path": "/", "headers": {"X-Request-Id": "the-id"}, "body": text, **fields}


def audio(data: bytes) -> dict[str, str]:
    return {"audio": base64.b64encode(data).decode()}


def error_of(answer: dict[str, Any]) -> dict[str, Any]:
    error = json.loads(answer["body"])["error"]
    assert isinstance(error, dict)
    return error


def test_transcript(handle: Handle, api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording becomes a transcript, with the request's id, the timings, and one line in the log."""
    answer = handle(post(audio(recording("jfk.mp3"))), {})
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {
        "text": HEARD,
        "model": VOXTRAL,
        "duration": 11.088,
        "usage": {"type": "duration", "seconds": 12},
    }
    assert answer["headers"]["X-Request-Id"] == "the-id"
    assert answer["headers"]["Server-Timing"].startswith("download;dur=")
    assert api.calls == ["/models", "/chat/completions"]
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert {
        name: entry[name]
        for name in ("request_id", "trigger", "source", "bytes", "model", "status", "calls", "not_sent")
    } == {
        "request_id": "the-id",
        "trigger": "http",
        "source": "inline",
        "bytes": len(recording("jfk.mp3")),
        "model": VOXTRAL,
        "status": 200,
        "calls": 1,
        "not_sent": [],
    }
    assert entry["chunks"] == [[0.0, 11.1]]
    assert entry["seconds"] == pytest.approx(11.088)
    assert entry["total_seconds"] > 0


def test_url(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording at an address is refused when the address is private, and transcribed when it is allowed."""
    with serve(lambda peer: peer.answer(recording("jfk.wav"))) as server:
        refused = handle(post({"url": server.url}), {})
        assert (refused["statusCode"], error_of(refused)["code"]) == (400, "address_refused")
        assert server.requests == []
        monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", f"127.0.0.1:{server.port}")
        answer = new_instance()(post({"url": server.url}), {})
        assert json.loads(answer["body"])["duration"] == 11.0


def test_models_are_looked_up_once(handle: Handle, api: FakeApi) -> None:
    """With the preferred model gone, each request is answered by the next one, with one look-up in all."""
    api.models = [WHISPER]
    for _ in range(3):
        assert json.loads(handle(post(audio(hum(1))), {})["body"])["model"] == WHISPER
    assert api.calls == ["/models", *["/audio/transcriptions"] * 3]


def test_requested_model_or_an_error(handle: Handle, api: FakeApi) -> None:
    """A model in the request is used, and one that does not exist costs no upload."""
    answer = handle(post({**audio(hum(1)), "model": WHISPER}), {})
    assert json.loads(answer["body"])["model"] == WHISPER
    missing = handle(post({**audio(hum(1)), "model": "whisper-huge"}), {})
    assert (missing["statusCode"], error_of(missing)["param"]) == (422, "model")
    assert api.calls == ["/models", "/audio/transcriptions"]


def test_model_that_vanishes_during_an_instances_life(handle: Handle, api: FakeApi) -> None:
    """When the API denies a model that was there before, an open request goes on with the next one."""
    gone = json.dumps({"error": {"message": f"The model `{WHISPER}` does not exist."}}).encode()
    api.conversation = lambda peer: peer.answer(gone, status="422 X")
    named = handle(post({**audio(hum(1)), "model": WHISPER}), {})
    assert named["statusCode"] == 422
    answer = handle(post(audio(hum(1))), {})
    assert json.loads(answer["body"])["model"] == VOXTRAL


def test_rate_limit_is_passed_on(handle: Handle, api: FakeApi) -> None:
    """A rate limit that outlasts the time is a 429 with the API's own Retry-After."""
    api.models = [WHISPER]
    api.conversation = lambda peer: peer.answer(b"{}", status="429 X", Retry_After="30")
    answer = handle(post(audio(hum(1))), {})
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (429, "30")
    assert api.calls.count("/audio/transcriptions") == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("GENERATIVE_API_KEY", ""), ("MODELS", "unheard-of"), ("TIME_LIMIT", "soon"), ("MAX_AUDIO_MB", "-1")],
)
def test_wrong_setting(handle: Handle, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """A wrong setting is a 500 that names it, for every request, and the function still answers when it is mended."""
    monkeypatch.setenv(variable, value)
    answer = handle({"httpMethod": "GET"}, {})
    assert (answer["statusCode"], error_of(answer)["param"]) == (500, variable)
    assert handle({"httpMethod": "OPTIONS"}, {})["statusCode"] == 204
    monkeypatch.setenv(variable, {"GENERATIVE_API_KEY": KEY, "MODELS": WHISPER}.get(variable, "9"))
    assert handle({"httpMethod": "GET"}, {})["statusCode"] == 200


def test_other_methods(handle: Handle, api: FakeApi) -> None:
    """GET describes, OPTIONS allows, other methods are refused with those that there are; none calls the API."""
    assert json.loads(handle({"httpMethod": "GET"}, {})["body"])["models"] == [VOXTRAL, WHISPER]
    assert handle({"httpMethod": "OPTIONS"}, {})["statusCode"] == 204
    refused = handle({"httpMethod": "PUT"}, {})
    assert (refused["statusCode"], refused["headers"]["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert api.calls == []


def test_nothing_is_sent_of_what_is_no_audio(handle: Handle, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no audio, and audio over a limit, is refused without a call of the API."""
    page = handle(post(audio(b"<html>Please sign in</html>" * 10)), {})
    assert (page["statusCode"], "a web page" in error_of(page)["message"]) == (415, True)
    monkeypatch.setenv("MAX_AUDIO_MINUTES", "0.1")
    long = new_instance()(post(audio(silence(7))), {})
    assert (long["statusCode"], "MAX_AUDIO_MINUTES" in error_of(long)["message"]) == (413, True)
    assert api.calls == []


def stall(peer: Peer) -> None:
    """Send half of it, and then nothing."""
    peer.answer(WAV[:8000], Content_Length=str(len(WAV)))
    peer.wait()


@pytest.mark.parametrize("model", [VOXTRAL, WHISPER])
@pytest.mark.parametrize(
    ("conversation", "expected"),
    [
        (stall, "504 TIME_LIMIT|sent nothing"),
        (lambda peer: peer.answer(WAV[:8000], Content_Length=str(len(WAV))), "502 broke off"),
        (lambda peer: peer.answer(MP3, Content_Length=str(len(MP3) + 1)), "502 broke off"),
        (lambda peer: peer.answer(b""), "415 nothing at all"),
        (Peer.wait, "504 in time"),
        (Peer.reset, "502 reached"),
        (lambda peer: peer.answer(b"<html>", status="403 X"), "422 403"),
        (lambda peer: peer.answer(status="404 X"), "404 404"),
    ],
    ids=["stalls", "breaks-off", "announces-more", "empty", "silent", "resets", "refuses", "is-not-there"],
)
def test_sources_on_a_bad_day(
    handle: Handle, monkeypatch: pytest.MonkeyPatch, conversation: Conversation, expected: str, model: str
) -> None:
    """A source that fails in whatever way is reported as what it did, and never transcribed in part."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("TIME_LIMIT", "1")
    status, _, says = expected.partition(" ")
    with serve(conversation) as server:
        answer = handle(post({"url": server.url, "model": model}), {})
    assert answer["statusCode"] == int(status), answer["body"]
    assert re.search(says, error_of(answer)["message"])


def test_stalled_source_is_left(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the answer is given, no connection to the source is left open."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("TIME_LIMIT", "1")
    left = threading.Event()

    def listen(peer: Peer) -> None:
        peer.answer(WAV[:8000], Content_Length=str(len(WAV)))
        with suppress(OSError):
            peer.connection.recv(1)  # nothing comes, until the other end closes
        left.set()

    with serve(listen) as server:
        assert handle(post({"url": server.url}), {})["statusCode"] == 504
        assert left.wait(5)


def test_part_of_a_download_is_never_transcribed(handle: Handle, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording of unknown length and version that breaks off has no transcript, and costs no call."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("TIME_LIMIT", "30")
    chunk = b"%x\r\n%s\r\n" % (100_000, WAV[:100_000])
    with serve(lambda peer: peer.answer(chunk, Content_Length="", Transfer_Encoding="chunked")) as server:
        answer = handle(post({"url": server.url}), {})
    assert (answer["statusCode"], error_of(answer)["code"]) == (502, "source_failed")
    assert "/chat/completions" not in api.calls


def test_source_that_sends_more_than_it_announced(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the announced length is not part of the recording; the recording is transcribed as announced."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    with serve(lambda peer: peer.answer(WAV + b"more", Content_Length=str(len(WAV)))) as server:
        answer = handle(post({"url": server.url}), {})
    assert (answer["statusCode"], json.loads(answer["body"])["duration"]) == (200, 11.0)


def test_early_refusal_ends_the_download(handle: Handle, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the API refuses a recording that is still arriving, the source is left at once, far from its end."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    recording_bytes = hum(240, sample_rate_hz=32_000)
    sent = 0
    left = threading.Event()

    def slow(peer: Peer) -> None:
        nonlocal sent
        peer.answer(recording_bytes[:100_000], Content_Length=str(len(recording_bytes)), ETag='"v"')
        try:
            for start in range(100_000, len(recording_bytes), 100_000):
                peer.send(recording_bytes[start : start + 100_000])
                sent = start
                peer.stopped.wait(0.01)
        except OSError:
            left.set()

    def refuse(peer: Peer) -> None:
        """List the models as ever, and refuse an upload by its head."""
        if peer.path == "/models":
            api(peer)
        else:
            peer.answer(b'{"error": {"message": "no"}}', status="401 X")

    with serve(slow) as source, serve(refuse, read_body=False) as refusing:
        monkeypatch.setenv("GENERATIVE_API_URL", refusing.url)
        answer = handle(post({"url": source.url}), {})
        assert left.wait(5)
    assert error_of(answer)["param"] == "GENERATIVE_API_KEY"
    assert sent < len(recording_bytes) / 2


def test_timings_show_what_overlapped(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording is sent to the API while it still arrives: both phases lasted, and together longer than the whole."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")

    def slow(peer: Peer) -> None:
        peer.answer(WAV[:100_000], Content_Length=str(len(WAV)))
        for start in range(100_000, len(WAV), 10_000):
            peer.stopped.wait(0.02)
            peer.send(WAV[start : start + 10_000])

    with serve(slow) as source:
        answer = handle(post({"url": source.url}), {})
    timings = dict(re.findall(r"(\w+);dur=([\d.]+)", answer["headers"]["Server-Timing"]))
    download, call, total = (float(timings[name]) for name in ("download", "api", "total"))
    assert max(download, call) <= total
    assert download + call > total


@pytest.mark.parametrize(("name", "kept_bytes"), [("jfk.wav", 100_000), ("jfk.mp3", 20_000)])
def test_file_that_is_cut_off_is_warned_of(handle: Handle, name: str, kept_bytes: int) -> None:
    """A file that is shorter than it says of itself is transcribed as far as it goes, and the answer says so."""
    answer = json.loads(handle(post(audio(recording(name)[:kept_bytes])), {})["body"])
    assert "cut off" in answer["warnings"][0]
    assert answer["duration"] == pytest.approx(3.0, abs=0.2)


def test_no_secret_anywhere(handle: Handle, api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    """An API that repeats the key in its error does not make the function tell it."""
    api.models = [WHISPER]
    echo = json.dumps({"error": {"message": f"Wrong key {KEY} from 10.0.0.7"}}).encode()
    api.conversation = lambda peer: peer.answer(echo, status="403 X")
    answer = handle(post(audio(hum(1))), {})
    assert error_of(answer)["param"] == "GENERATIVE_API_KEY"
    told = json.dumps(answer) + capsys.readouterr().err
    assert KEY not in told
    assert "10.0.0.7" not in told


class Listening:
    """The API as one that reads the markers in each chunk; `spoil` may answer a chunk in its place, by its words."""

    def __init__(self, api: FakeApi, spoil: Callable[[Peer, str], bool] = lambda _peer, _words: False) -> None:
        api.models = [WHISPER]
        api.conversation = self
        self.spoil = spoil

    def __call__(self, peer: Peer) -> None:
        body = body_of(peer.request)
        start = body.index(b"RIFF")
        size = int.from_bytes(body[start + 4 : start + 8], "little") + 8
        words = MarkerRecogniser().recognise(io.BytesIO(body[start : start + size])).text.lower().replace(".", "")
        if not self.spoil(peer, words):
            peer.answer(json.dumps({"text": words}).encode())


@pytest.fixture(scope="module")
def minute() -> tuple[LongRecording, bytes]:
    """A minute of marked sentences, and the WAV file of it."""
    long = marked_speech(1, seed=7)
    return long, encode(long.samples, "wav", "pcm_s16le")


@pytest.fixture
def chunked(
    handle: Handle,  # noqa: ARG001 # it comes with the environment
    monkeypatch: pytest.MonkeyPatch,
) -> Handle:
    """The handler of an instance that cuts recordings into chunks of about 12 seconds."""
    monkeypatch.setenv("CHUNK_MINUTES", "0.2")
    monkeypatch.setenv("TIME_LIMIT", "30")
    return new_instance()


def test_long_recording(
    chunked: Handle, api: FakeApi, minute: tuple[LongRecording, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """The words of a long recording come in order, each once, though the chunk that is sent first is answered last."""
    long, data = minute
    others: list[str] = []
    others_are_answered = threading.Event()

    def keep_the_first(_peer: Peer, words: str) -> bool:
        if long.words.startswith(words):
            assert others_are_answered.wait(20)
        else:
            others.append(words)
            if len(others) == 3:
                others_are_answered.set()
        return False

    Listening(api, keep_the_first)
    answer = json.loads(chunked(post(audio(data)), {})["body"])
    assert (answer["text"], answer["duration"]) == (long.words, 60)
    assert "warnings" not in answer
    entry = json.loads(capsys.readouterr().err.splitlines()[-1])
    spans = entry["chunks"]
    assert (spans[0][0], spans[-1][1], entry["calls"]) == (0, 60, len(spans))
    assert [start for start, _ in spans[1:]] == [end for _, end in spans[:-1]]
    assert len(others) == len(spans) - 1 >= 3


def test_formats_with_times_of_a_long_recording(
    chunked: Handle, api: FakeApi, minute: tuple[LongRecording, bytes]
) -> None:
    """Each format has all words, and in the verbose one sentences are where they are said."""
    long, data = minute
    Listening(api)
    for response_format, content_type in (("srt", "application/x-subrip"), ("vtt", "text/vtt")):
        answer = chunked(post({**audio(data), "response_format": response_format}), {})
        assert answer["headers"]["Content-Type"] == content_type
        lines = answer["body"].splitlines()
        assert " ".join(line for line in lines if re.fullmatch("[a-z ]+", line)) == long.words
    answer = json.loads(chunked(post({**audio(data), "response_format": "verbose_json"}), {})["body"])
    segments = answer["segments"]
    assert " ".join(segment["text"] for segment in segments) == long.words
    assert segments[0]["start"] == pytest.approx(long.sentences[0].start_seconds, abs=1)
    assert segments[-1]["end"] == pytest.approx(long.sentences[-1].end_seconds, abs=1)
    assert all(before["end"] <= after["start"] for before, after in pairwise(segments))


def test_chunk_without_words_is_warned_of(chunked: Handle, api: FakeApi, minute: tuple[LongRecording, bytes]) -> None:
    """Where a model hears nothing in a part with sound, the rest is there, and a warning names the part."""
    long, data = minute
    lost: list[str] = []

    def hear_nothing_in_the_end(peer: Peer, words: str) -> bool:
        if not long.words.endswith(words):
            return False
        lost.append(words)
        peer.answer(b'{"text": ""}')
        return True

    Listening(api, hear_nothing_in_the_end)
    answer = json.loads(chunked(post({**audio(data), "model": WHISPER}), {})["body"])
    (warning,) = answer["warnings"]
    assert re.match(r"From 0:\d\d to 1:00 there is sound, and no words were found", warning)
    assert f"{answer['text']} {lost[0]}" == long.words
    assert len(lost) == 2


def test_failing_chunk_fails_the_recording(chunked: Handle, api: FakeApi, minute: tuple[LongRecording, bytes]) -> None:
    """A part that the API refuses is an error that names its time, and nothing of the rest is told."""
    long, data = minute

    def refuse_the_first(peer: Peer, words: str) -> bool:
        if long.words.startswith(words):
            peer.answer(b'{"error": {"message": "no"}}', status="400 X")
            return True
        return False

    Listening(api, refuse_the_first)
    answer = chunked(post(audio(data)), {})
    assert answer["statusCode"] == 400
    assert re.search(r"It happened from 0:00 to 0:1\d\.$", error_of(answer)["message"])


@pytest.mark.usefixtures("chunked")
def test_time_that_is_over_while_chunks_wait(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, minute: tuple[LongRecording, bytes]
) -> None:
    """When the API is too slow for all chunks, the answer is a 504 that says so, and no more of them are sent."""
    monkeypatch.setenv("TIME_LIMIT", "1")
    monkeypatch.setenv("PARALLEL_CALLS", "2")
    api.models = [WHISPER]
    api.conversation = Peer.wait
    answer = new_instance()(post(audio(minute[1])), {})
    assert (answer["statusCode"], error_of(answer)["code"]) == (504, "api_timeout")
    assert api.calls.count("/audio/transcriptions") == 2


@pytest.mark.usefixtures("chunked")
def test_line_of_the_log_stays_short(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three hundred chunks, of which none has sound in it, cost no call, and one line that a log takes."""
    monkeypatch.setenv("CHUNK_MINUTES", "0.02")
    answer = new_instance()(post(audio(silence(360, sample_rate_hz=8000))), {})
    assert json.loads(answer["body"])["text"] == ""
    (line,) = capsys.readouterr().err.splitlines()
    assert len(json.loads(line)["not_sent"]) == 100
    assert len(line) < 4096
    assert "/audio/transcriptions" not in api.calls


events = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=10), values, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(event=events, body=st.text(max_size=200) | events.map(json.dumps), method=st.sampled_from(["POST", "GET", "X"]))
def test_any_event_has_an_answer(handle: Handle, event: object, body: str, method: str) -> None:
    """Whatever the event, the answer is of the one safe form, and never a failure of ours."""
    for each in (event, {"httpMethod": method, "body": body, "headers": event, "queryStringParameters": event}):
        answer = handle(each, {})
        assert answer["statusCode"] in {200, 400, 405}
        assert all(isinstance(text, str) for item in answer["headers"].items() for text in item)
        assert isinstance(answer["body"], str)
        json.dumps(answer)
