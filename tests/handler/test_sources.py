"""The handler with sources on a bad day: what they do is told, and no part of a recording is taken for all of it."""

import json
import re
import threading
from contextlib import suppress

import pytest
from support.handling import VOXTRAL, WHISPER, FakeApi, Handle, audio, error_of, new_instance, post
from support.loopback import Conversation, Peer, serve
from support.recordings import hum, recording

WAV, MP3 = recording("jfk.wav"), recording("jfk.mp3")


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


@pytest.mark.usefixtures("handle")
def test_time_that_runs_out_says_what_would_go_on(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the time of a request that cannot go on later runs out, the error names async."""
    monkeypatch.setenv("TIME_LIMIT", "1")
    api.conversation = Peer.wait
    answer = new_instance()(post(audio(recording("jfk.mp3"))), {})
    assert (answer["statusCode"], "async: true" in error_of(answer)["message"]) == (504, True)
