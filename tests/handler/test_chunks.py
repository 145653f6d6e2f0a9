"""The handler with recordings of many chunks: all of it, in order, or what is missing."""

import json
import re
import threading
from itertools import pairwise

import pytest
from support.handling import WHISPER, FakeApi, Handle, audio, error_of, new_instance, post
from support.listening import Listening
from support.long_recordings import LongRecording
from support.loopback import Peer
from support.recordings import silence


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
