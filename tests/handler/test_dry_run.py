"""Requests with `dry_run`: what a recording would cost, without a call of the API."""

import base64
import json
from typing import Any

import pytest
from support.encoding import encode
from support.handling import VOXTRAL, WHISPER, FakeApi, Handle, audio, error_of, new_instance, post
from support.long_recordings import marked_speech
from support.loopback import serve
from support.recordings import recording, silence

JFK_SECONDS = 11.0


def estimate_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["statusCode"] == 200, answer["body"]
    estimate: dict[str, Any] = json.loads(answer["body"])
    assert "text" not in estimate  # an empty one would look like silence
    return estimate


def test_an_estimate_calls_nothing(handle: Handle, api: FakeApi) -> None:
    """The answer has duration, chunks and billed seconds, and not even the list of models is fetched."""
    estimate = estimate_of(handle(post(audio(recording("jfk.mp3")) | {"dry_run": True}), {}))
    assert estimate["model"] == WHISPER
    assert estimate["duration"] == pytest.approx(JFK_SECONDS, abs=0.2)
    assert (estimate["chunks"], estimate["billed_chunks"]) == (1, 1)
    assert estimate["billed_seconds"] == estimate["duration"]
    assert estimate["usage"] == {"type": "duration", "seconds": 12}
    assert "cost" not in estimate
    assert api.calls == []


@pytest.mark.usefixtures("handle")
def test_the_cost_is_the_price_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PRICES, the cost is that of the named model; a model without a price has none."""
    monkeypatch.setenv("PRICES", f"{VOXTRAL}=0.6")
    handle = new_instance()
    request = audio(recording("jfk.mp3")) | {"dry_run": True}
    priced = estimate_of(handle(post(request | {"model": VOXTRAL}), {}))
    assert priced["cost"] == pytest.approx(0.01 * priced["billed_seconds"], abs=1e-6)
    assert "cost" not in estimate_of(handle(post(request), {}))


@pytest.mark.usefixtures("handle")
def test_silence_is_not_billed(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    """Chunks without sound are counted, and their seconds are not billed."""
    monkeypatch.setenv("CHUNK_MINUTES", "0.2")
    monkeypatch.setenv("TIME_LIMIT", "30")
    quiet = estimate_of(new_instance()(post(audio(silence(60)) | {"dry_run": True}), {}))
    assert quiet["duration"] == 60
    assert quiet["chunks"] > 1
    assert (quiet["billed_chunks"], quiet["billed_seconds"], quiet["usage"]["seconds"]) == (0, 0, 0)
    assert api.calls == []


@pytest.mark.usefixtures("handle")
def test_the_estimate_is_what_is_paid(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    """As many chunks are called for afterwards as the estimate says."""
    monkeypatch.setenv("CHUNK_MINUTES", "0.2")
    monkeypatch.setenv("TIME_LIMIT", "30")
    speech = encode(marked_speech(1, seed=3).samples, "ipod", "aac", rate_hz=44_100, bit_rate=64_000)
    handle = new_instance()
    estimate = estimate_of(handle(post(audio(speech) | {"dry_run": True}), {}))
    assert estimate["chunks"] == estimate["billed_chunks"] > 3
    paid: list[bytes] = []

    def answer(peer: Any) -> None:
        paid.append(peer.request)
        peer.answer(json.dumps({"text": "word " * 40}).encode())

    api.conversation = answer
    handle(post(audio(speech) | {"model": WHISPER}), {})
    assert len(paid) >= estimate["chunks"]


@pytest.mark.parametrize("value", ["true", "1", "True", "yes"])
def test_a_query_string_asks_for_it(handle: Handle, api: FakeApi, value: str) -> None:
    """A body that is base64 text takes it from the query string, as every option."""
    body = base64.b64encode(recording("jfk.mp3")).decode()
    answer = handle(post(body, queryStringParameters={"dry_run": value}), {})
    assert estimate_of(answer)["chunks"] == 1
    assert api.calls == []


def test_false_is_no_dry_run(handle: Handle, api: FakeApi) -> None:
    """With `false`, the recording is transcribed."""
    answer = handle(post(audio(recording("jfk.mp3")) | {"dry_run": "false"}), {})
    assert "text" in json.loads(answer["body"])
    assert api.calls


@pytest.mark.parametrize("value", ["maybe", 2, [], "", {}])
def test_no_other_value_is_taken(handle: Handle, api: FakeApi, value: object) -> None:
    """What is neither true nor false is refused, rather than paid for."""
    answer = handle(post(audio(recording("jfk.mp3")) | {"dry_run": value}), {})
    assert answer["statusCode"] == 400
    assert error_of(answer)["param"] == "dry_run"
    assert api.calls == []


@pytest.mark.usefixtures("handle")
def test_an_address_is_estimated(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    """A recording at an address is read, and not sent."""
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    with serve(lambda peer: peer.answer(recording("jfk.mp3"))) as server:
        answer = new_instance()(post({"url": f"{server.url}/talk.mp3", "dry_run": True}), {})
    assert estimate_of(answer)["usage"]["seconds"] == 12
    assert api.calls == []


def test_a_chat_completion_has_it_as_content(handle: Handle, api: FakeApi) -> None:
    """A client of chat completions gets a completion whose content is the estimate."""
    part = {"type": "input_audio", "input_audio": {"data": audio(recording("jfk.mp3"))["audio"], "format": "mp3"}}
    request = {"model": VOXTRAL, "messages": [{"role": "user", "content": [part]}], "dry_run": True}
    completion = json.loads(handle(post(request, path="/v1/chat/completions"), {})["body"])
    assert completion["object"] == "chat.completion"
    assert json.loads(completion["choices"][0]["message"]["content"])["usage"]["seconds"] == 12
    assert api.calls == []


def test_limits_and_formats_hold(handle: Handle) -> None:
    """What would not be transcribed has no estimate, but the error that a transcription would have."""
    answer = handle(post(audio(b"no audio at all, but long enough for a file" * 3) | {"dry_run": True}), {})
    assert answer["statusCode"] == 415


def test_the_log_keeps_it_apart(handle: Handle, capfd: pytest.CaptureFixture[str]) -> None:
    """The log has the estimate under names of its own, so that sums of `seconds` and `cost` are of what was paid."""
    handle(post(audio(recording("jfk.mp3")) | {"dry_run": True}), {})
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert (line["dry_run"], round(line["estimated_seconds"])) == (True, 11)
    assert not {"seconds", "cost", "calls"} & line.keys()
