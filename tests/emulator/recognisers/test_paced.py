"""Tests of recognisers that are slowed down, and of the server with one."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.encoding import encode
from support.generative_requests import Caller, chat_body
from support.recordings import silence

from emulator.generative.server import GenerativeServer
from emulator.recognisers.markers import sentence_samples, silence_samples
from emulator.recognisers.paced import PacedRecogniser
from emulator.recognisers.stub import StubRecogniser

WORDS = ["baba", "deki", "sami"]
SAMPLES = np.concatenate([silence_samples(0.4), sentence_samples(WORDS), silence_samples(0.4)])
SPOKEN = encode(SAMPLES, "mp3", "libmp3lame", bit_rate=32_000)


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with GenerativeServer(recogniser="markers", real_time_factor=0.1) as server:
        yield Caller(server.url, server.key)


def test_answer_takes_its_time() -> None:
    """Four seconds at a factor of 0.1 take at least 0.4 s, and the answer is the recogniser's."""
    quick = StubRecogniser()
    started = time.monotonic()
    recognition = PacedRecogniser(quick, 0.1).recognise(io.BytesIO(silence(4.0)), language="fr")
    assert time.monotonic() - started >= 0.4
    assert recognition == quick.recognise(io.BytesIO(silence(4.0)), language="fr")


def test_tokens_are_the_recognisers() -> None:
    """Tokens are counted by the recogniser itself, without a delay."""
    assert PacedRecogniser(StubRecogniser(), 1000).tokens("two words") == ["two", " words"]


def test_server_reads_markers(caller: Caller) -> None:
    """Both APIs answer with the recording's words, with a segment for each sentence."""
    assert caller.chat(chat_body(SPOKEN, "mp3")).json()["choices"][0]["message"]["content"] == "Baba deki sami."
    verbose = caller.transcribe(SPOKEN, "a.mp3", response_format="verbose_json").json()
    assert [segment["text"] for segment in verbose["segments"]] == ["Baba deki sami."]
    assert verbose["segments"][0]["start"] == pytest.approx(0.4, abs=0.1)  # an encoder adds some silence at the start


def test_parallel_requests_do_not_slow_each_other(caller: Caller) -> None:
    """Eight parallel answers that take a second each arrive in far less than eight."""
    audio = silence(10.0)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: caller.transcribe(audio), range(8)))
    assert all(answer.ok for answer in answers)
    assert 1.0 <= time.monotonic() - started < 7.0


def test_whisper_has_its_own_pace() -> None:
    """A factor for Whisper is refused before the server starts."""
    with pytest.raises(ValueError, match="whisper"):
        GenerativeServer(real_time_factor=0.1)
