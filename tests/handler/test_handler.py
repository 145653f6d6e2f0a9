"""The handler: an event goes in, an answer comes out, whatever happens on the way."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.handling import HEARD, KEY, VOXTRAL, WHISPER, FakeApi, Handle, audio, error_of, new_instance, post
from support.loopback import serve
from support.recordings import hum, recording, silence


def test_transcript(handle: Handle, api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording becomes a transcript, with the request's id, the timings, and one line in the log."""
    answer = handle(post(audio(recording("jfk.mp3"))), {})
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {
        "text": HEARD,
        "model": WHISPER,
        "duration": 11.088,
        "usage": {"type": "duration", "seconds": 12},
    }
    assert answer["headers"]["X-Request-Id"] == "the-id"
    assert answer["headers"]["Server-Timing"].startswith("download;dur=")
    assert api.calls == ["/models", "/audio/transcriptions"]
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
        "model": WHISPER,
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
    assert json.loads(handle({"httpMethod": "GET"}, {})["body"])["models"] == [WHISPER, VOXTRAL]
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
