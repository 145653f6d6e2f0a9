"""Requests with `allow_partial`: a chunk that cannot be transcribed is a gap that every format shows."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from support.handling import WHISPER, FakeApi, Handle, audio, error_of, new_instance, post
from support.listening import Listening
from support.long_recordings import LongRecording
from support.loopback import Peer
from support.subtitle_rules import read_cues

Minute = tuple[LongRecording, bytes]
Answer = Callable[[Peer], None]
REFUSAL = b'{"error": {"message": "The audio cannot be decoded."}}'


def refuse(peer: Peer) -> None:
    peer.answer(REFUSAL, status="400 X")


def spoil_the_middle(api: FakeApi, long: LongRecording, answer: Answer = refuse) -> None:
    """Have the API answer the chunk around the middle of the recording like this."""
    middle = min(long.sentences, key=lambda sentence: abs(sentence.start_seconds - 30)).words

    def spoil(peer: Peer, words: str) -> bool:
        if middle in words:
            answer(peer)
        return middle in words

    Listening(api, spoil)


def gap_of(body: dict[str, Any]) -> tuple[float, float]:
    ((start, end),) = body["missing"]
    return start, end


def test_gap_in_json(chunked: Handle, api: FakeApi, minute: Minute, capsys: pytest.CaptureFixture[str]) -> None:
    """The words around the gap are there, with a mark between them, its times, and a warning with the reason."""
    long, data = minute
    spoil_the_middle(api, long)
    answer = chunked(post({**audio(data), "allow_partial": True}), {})
    body = json.loads(answer["body"])
    start, end = gap_of(body)
    assert answer["statusCode"] == 200
    assert (0 < start < 31 and 29 < end < 60, body["duration"]) == (True, 60)
    before, after = body["text"].split(" […] ")
    assert long.words.startswith(before)
    assert long.words.endswith(after)
    (warning,) = body["warnings"]
    assert re.match(r"From 0:\d\d to 0:\d\d nothing could be transcribed: .*The audio cannot be decoded", warning)
    assert answer["headers"]["X-Transcript-Warnings"] == "1"
    entry = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (entry["missing"], entry["warnings"], entry["status"]) == ([[round(start, 1), round(end, 1)]], 1, 200)


def test_gap_in_formats_with_times(chunked: Handle, api: FakeApi, minute: Minute) -> None:
    """In subtitles the mark is a cue where the gap begins, in `verbose_json` a segment as long as the gap."""
    long, data = minute
    spoil_the_middle(api, long)
    request = {**audio(data), "allow_partial": True}
    body = json.loads(chunked(post({**request, "response_format": "verbose_json"}), {})["body"])
    start, end = gap_of(body)
    (mark,) = [segment for segment in body["segments"] if segment["text"] == "[…]"]
    assert (mark["start"], mark["end"]) == (start, end)
    assert " ".join(segment["text"] for segment in body["segments"]) == body["text"]
    for response_format in ("srt", "vtt"):
        answer = chunked(post({**request, "response_format": response_format}), {})
        (cue,) = [cue for cue in read_cues(answer["body"]) if "[…]" in cue.lines[0]]
        assert (cue.lines, cue.start_ms) == (("[…]",), round(start * 1000))
        assert answer["headers"]["X-Transcript-Warnings"] == "1"
    assert "NOTE From 0:" in answer["body"]
    text = chunked(post({**request, "response_format": "text"}), {})
    assert (text["body"], text["headers"]["X-Transcript-Warnings"]) == (body["text"] + "\n", "1")


def test_gap_by_the_paths_of_openai(chunked: Handle, api: FakeApi, minute: Minute) -> None:
    """A form in JSON, and a chat completion, whole or streamed, have the gap, its times and the warning."""
    long, data = minute
    spoil_the_middle(api, long)
    form = {"file": audio(data)["audio"], "model": WHISPER, "allow_partial": True}
    body = json.loads(chunked(post(form, path="/v1/audio/transcriptions"), {})["body"])
    assert " […] " in body["text"]
    part = {"type": "input_audio", "input_audio": {"data": audio(data)["audio"], "format": "wav"}}
    chat = {"model": WHISPER, "messages": [{"role": "user", "content": [part]}], "allow_partial": True}
    answer = chunked(post(chat, path="/v1/chat/completions"), {})
    completion = json.loads(answer["body"])
    assert completion["choices"][0]["message"]["content"] == body["text"]
    assert (completion["missing"], len(completion["warnings"])) == (body["missing"], 1)
    stream = chunked(post({**chat, "stream": True}, path="/v1/chat/completions"), {})
    events = [json.loads(line[6:]) for line in stream["body"].splitlines() if line.startswith("data: {")]
    assert [event["missing"] for event in events if "missing" in event] == [body["missing"]]
    assert answer["headers"]["X-Transcript-Warnings"] == stream["headers"]["X-Transcript-Warnings"] == "1"


@pytest.mark.parametrize("value", [False, "false", None])
def test_gap_has_to_be_allowed(chunked: Handle, api: FakeApi, minute: Minute, value: object) -> None:
    """Without the option, the chunk is an error, and nothing of the rest is told."""
    spoil_the_middle(api, minute[0])
    fields = {} if value is None else {"allow_partial": value}
    answer = chunked(post({**audio(minute[1]), **fields}), {})
    assert (answer["statusCode"], error_of(answer)["code"]) == (400, "refused_by_api")


@pytest.mark.parametrize("value", [True, "true", "True"])
def test_whole_transcript_has_no_gap(chunked: Handle, api: FakeApi, minute: Minute, value: object) -> None:
    """The option changes nothing where every chunk is transcribed."""
    Listening(api)
    body = json.loads(chunked(post({**audio(minute[1]), "allow_partial": value}), {})["body"])
    assert body["text"] == minute[0].words
    assert not {"missing", "warnings"} & body.keys()


def test_other_values_are_refused(chunked: Handle) -> None:
    """A value that is neither true nor false is a 400 that names the field."""
    answer = chunked(post({"audio": "UklGRg==", "allow_partial": "some"}), {})
    assert (answer["statusCode"], error_of(answer)["param"]) == (400, "allow_partial")


def test_recording_without_any_chunk_is_an_error(chunked: Handle, api: FakeApi, minute: Minute) -> None:
    """Where nothing at all is transcribed, there is nothing that is partial: the error is the answer."""
    api.models = [WHISPER]
    api.conversation = refuse
    answer = chunked(post({**audio(minute[1]), "allow_partial": True}), {})
    assert (answer["statusCode"], error_of(answer)["code"]) == (400, "refused_by_api")


@pytest.mark.parametrize(
    ("status", "code"), [("401 X", "wrong_setting"), ("402 X", "budget_exhausted"), ("404 X", "model_not_found")]
)
def test_what_every_chunk_would_meet_is_no_gap(
    chunked: Handle, api: FakeApi, minute: Minute, status: str, code: str
) -> None:
    """What is wrong with the account or the model stays an error, so that the operator sees it."""
    refusal = b'{"error": {"message": "The model does not exist."}}'
    spoil_the_middle(api, minute[0], lambda peer: peer.answer(refusal, status=status))
    answer = chunked(post({**audio(minute[1]), "allow_partial": True}), {})
    assert (answer["statusCode"] >= 400, error_of(answer)["code"]) == (True, code)


@pytest.mark.usefixtures("chunked")
def test_gaps_side_by_side_are_one(api: FakeApi, monkeypatch: pytest.MonkeyPatch, minute: Minute) -> None:
    """When the time is over, all that is left is one gap with one mark, to the recording's end."""
    long, data = minute
    monkeypatch.setenv("TIME_LIMIT", "4")
    monkeypatch.setenv("PARALLEL_CALLS", "2")

    def only_the_first(peer: Peer, words: str) -> bool:
        if long.words.startswith(words):
            return False
        peer.wait()
        return True

    Listening(api, only_the_first)
    body = json.loads(new_instance()(post({**audio(data), "allow_partial": True}), {})["body"])
    assert body["text"].removesuffix(" […]").startswith(long.sentences[0].words)
    assert (body["text"].count("[…]"), len(body["missing"]), body["missing"][0][1]) == (1, 1, 60)
    assert len(body["warnings"]) == 1


@pytest.mark.timeout(90)
def test_failure_that_passes_is_a_gap_after_the_retries(
    api: FakeApi,
    chunked: Handle,  # noqa: ARG001 # it comes with the environment
    monkeypatch: pytest.MonkeyPatch,
    minute: Minute,
) -> None:
    """A chunk whose calls fail until the time is over is a gap that names the API's status."""
    monkeypatch.setenv("TIME_LIMIT", "5")
    spoil_the_middle(api, minute[0], lambda peer: peer.answer(b"", status="500 X"))
    body = json.loads(new_instance()(post({**audio(minute[1]), "allow_partial": True}), {})["body"])
    assert gap_of(body)[0] > 0
    assert "500" in body["warnings"][0]
