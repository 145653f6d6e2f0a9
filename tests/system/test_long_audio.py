"""Long recordings through the whole function: no word lost, none doubled, and each sentence at its time.

Fifteen minutes, and with --all an hour, are read by a recogniser that is exact to the word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pysubs2
import pytest
import webvtt
from support.checking import check_times
from support.encoding import encode
from support.local_function import VOXTRAL, WHISPER, LocalFunction, local_function, new_request_id
from support.long_recordings import LongFile, LongRecording, Spoken, marked_speech, repeat
from support.recordings import spoken_words

from emulator.recognisers.markers import SAMPLE_RATE_HZ, silence_samples

pytestmark = pytest.mark.timeout(300)  # an hour is decoded by the function and by the API, on however small a machine

MODELS = (VOXTRAL, WHISPER)
BLOCK_MINUTES = 5.0


@dataclass(frozen=True)
class Talk:
    """Sentences as three kinds of files, by the end of their names, each this many blocks long."""

    blocks: int
    files: dict[str, LongFile]


def block_as_mp3(block: LongRecording, times: int) -> LongFile:
    # Without a Xing frame, which would be repeated with the block.
    options = {"write_xing": "0", "id3v2_version": "0"}
    encoded = encode(block.samples, "mp3", "libmp3lame", bit_rate=64_000, options=options)
    return repeat(block, encoded, times, container="mp3")


def block_as_m4a(block: LongRecording, times: int) -> LongFile:
    encoded = encode(block.samples, "ipod", "aac", bit_rate=64_000)
    return repeat(block, encoded, times, container="ipod")


def block_as_wav(block: LongRecording, times: int) -> LongFile:
    seconds = len(block.samples) / SAMPLE_RATE_HZ
    sentences = tuple(each.later(turn * seconds) for turn in range(times) for each in block.sentences)
    return LongFile(encode(np.tile(block.samples, times), "wav", "pcm_s16le"), seconds * times, sentences)


@pytest.fixture(scope="module", params=[3, pytest.param(12, marks=pytest.mark.long)], ids=["15 minutes", "an hour"])
def talk(request: pytest.FixtureRequest) -> Talk:
    block, blocks = marked_speech(BLOCK_MINUTES, seed=1), request.param
    return Talk(
        blocks,
        {
            "mp3": block_as_mp3(block, blocks),
            "m4a": block_as_m4a(block, blocks),
            "wav": block_as_wav(block, blocks),
        },
    )


@pytest.fixture(scope="module")
def exact() -> Iterator[LocalFunction]:
    with local_function("markers") as running:
        yield running


@pytest.fixture(scope="module")
def with_small_chunks(talk: Talk) -> Iterator[LocalFunction]:
    """A function that makes at least a dozen calls of the talk, however long that is."""
    with local_function("markers", CHUNK_MINUTES=str(BLOCK_MINUTES * talk.blocks / 12)) as running:
        yield running


@pytest.fixture
def in_small_chunks(with_small_chunks: LocalFunction) -> LocalFunction:
    with_small_chunks.apis.clear()
    return with_small_chunks


@pytest.fixture
def function(exact: LocalFunction) -> LocalFunction:
    exact.apis.clear()
    return exact


def check_words(answer: dict[str, Any], sentences: tuple[Spoken, ...]) -> None:
    heard, said = spoken_words(answer["text"]).split(), " ".join(each.words for each in sentences).split()
    assert heard == said


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["mp3", "wav", "m4a"])
def test_a_long_talk_is_exact_to_the_word(function: LocalFunction, talk: Talk, kind: str, model: str) -> None:
    """Every word of a long recording comes once and in order, each sentence at its time, and each part is sent once."""
    long = talk.files[kind]
    url, request_id = function.address_of(f"talk.{kind}", long.data), new_request_id()
    body = {"url": url, "model": model, "response_format": "verbose_json"}
    answer = function.transcript(body, headers=request_id)
    check_words(answer, long.sentences)
    check_times(answer, long.sentences)
    assert answer["duration"] == pytest.approx(long.duration_seconds, abs=0.5)
    assert "warnings" not in answer
    logged = function.logged(request_id["X-Request-Id"])
    assert len(logged["chunks"]) == pytest.approx(talk.blocks, abs=1)
    assert len(function.calls()) == logged["calls"] == len(logged["chunks"])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["mp3", "wav", "m4a"])
def test_a_long_talk_on_a_bad_day(in_small_chunks: LocalFunction, talk: Talk, kind: str, model: str) -> None:
    """With a fifth of the answers failed, stopped for length or empty, still no word of the talk is missing."""
    # With these seeds no two answers are empty that a slow machine might give to the same part, one after the other.
    for seed, fault in enumerate(("500", "length", "empty"), 4):
        in_small_chunks.apis.fault(fault, share=0.07, seed=seed)
    long = talk.files[kind]
    url = in_small_chunks.address_of(f"talk.{kind}", long.data)
    answer = in_small_chunks.transcript({"url": url, "model": model})
    check_words(answer, long.sentences)
    assert "warnings" not in answer
    assert any(call["fault"] for call in in_small_chunks.apis.requests())


@pytest.mark.parametrize("model", MODELS)
def test_a_part_without_words_is_named(function: LocalFunction, model: str) -> None:
    """Where the API has no words for what has sound, a warning names the span; the words around it are all there."""
    before, after = marked_speech(5, seed=4), marked_speech(5, seed=6)
    # Which no recogniser takes for words: noise for a second, and a pause, as if it were speech.
    dice = np.random.default_rng(5)
    burst = np.concatenate([dice.normal(0, 3000, SAMPLE_RATE_HZ).astype(np.int16), silence_samples(0.5)])
    pause = silence_samples(4)  # where the cuts will be
    samples = np.concatenate([before.samples, pause, np.tile(burst, 200), pause, after.samples])
    url = function.address_of("talk.wav", encode(samples, "wav", "pcm_s16le"))
    answer = function.transcript({"url": url, "model": model})
    check_words(answer, (*before.sentences, *after.sentences))
    (warning,) = answer["warnings"]
    assert re.fullmatch(r"From 5:0\d to 10:0\d there is sound, and no words were found\. Listen to it: .*", warning)
    assert len(function.calls()) > 3


@pytest.mark.parametrize("model", MODELS)
def test_a_part_that_fails_for_good(function: LocalFunction, talk: Talk, model: str) -> None:
    """No transcript is returned as if it were whole: the error says which minutes could not be transcribed."""
    url = function.address_of("talk.mp3", talk.files["mp3"].data)
    function.apis.fault("500", share=1.0, model=model)
    answer = function.post({"url": url, "model": model})
    assert answer.status_code == 502
    assert "It happened from " in answer.json()["error"]["message"]
    assert "text" not in answer.json()


def test_subtitles_of_a_long_talk(function: LocalFunction, talk: Talk) -> None:
    """Both kinds of subtitles are read by parsers of others, keep the rules, and hold every word."""
    long = talk.files["m4a"]
    url = function.address_of("talk.m4a", long.data)
    srt = function.post({"url": url, "response_format": "srt"})
    vtt = function.post({"url": url, "response_format": "vtt"})
    assert srt.headers["Content-Type"].startswith("application/x-subrip")
    assert vtt.headers["Content-Type"].startswith("text/vtt")
    events = pysubs2.SSAFile.from_string(srt.text, format_="srt").events
    captions = webvtt.from_string(vtt.text).captions
    assert [event.plaintext for event in events] == [caption.text for caption in captions]
    assert spoken_words(" ".join(event.plaintext for event in events)) == long.words
    lines = [event.plaintext.split("\n") for event in events]
    assert max(len(line) for several in lines for line in several) <= 42
    assert max(len(several) for several in lines) <= 2
    assert max(event.end - event.start for event in events) <= 7000
    assert all(before.end <= after.start for before, after in pairwise(events))


def test_times_without_the_apis_help(talk: Talk) -> None:
    """A model that refuses to give times is asked once for all, and the sentences have their times all the same."""
    with local_function("markers", MODEL_APIS=f"{VOXTRAL}=transcriptions") as function:
        for kind in ("wav", "m4a"):
            long = talk.files[kind]
            url = function.address_of(f"talk.{kind}", long.data)
            answer = function.transcript({"url": url, "model": VOXTRAL, "response_format": "verbose_json"})
            check_words(answer, long.sentences)
            check_times(answer, long.sentences)
        refused = [call for call in function.calls() if call["status"] == 400]
        # Those of the first recording that were under way together.
        assert 1 <= len(refused) <= 8
        assert all(call["options"]["response_format"] == "verbose_json" for call in refused)


@pytest.mark.parametrize("model", MODELS)
def test_long_silence_inside(function: LocalFunction, model: str) -> None:
    """Twenty seconds of silence cost no word, and the sentences after them are at their times."""
    one, other = marked_speech(1, seed=2), marked_speech(1, seed=3)
    gap = silence_samples(20)
    long = np.concatenate([one.samples, gap, other.samples])
    offset = (len(one.samples) + len(gap)) / SAMPLE_RATE_HZ
    sentences = (*one.sentences, *(each.later(offset) for each in other.sentences))
    url = function.address_of("gap.wav", encode(long, "wav", "pcm_s16le"))
    answer = function.transcript({"url": url, "model": model, "response_format": "verbose_json"})
    check_words(answer, sentences)
    check_times(answer, sentences)
    assert "warnings" not in answer


@pytest.mark.parametrize("noise_dbfs", [None, -60.0])
def test_a_recording_without_words_costs_nothing(
    in_small_chunks: LocalFunction, talk: Talk, noise_dbfs: float | None
) -> None:
    """Minutes of silence, or of steady noise, for several chunks, are an empty text, and the API is not called."""
    quiet = np.zeros(60 * talk.blocks * SAMPLE_RATE_HZ, np.int16)
    if noise_dbfs is not None:
        noise = np.random.default_rng(1).standard_normal(len(quiet), np.float32)
        quiet = np.rint(noise * 32768 * 10 ** (noise_dbfs / 20)).astype(np.int16)
    for container, codec in (("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("ipod", "aac")):
        url = in_small_chunks.address_of("quiet", encode(quiet, container, codec, bit_rate=64_000))
        answer = in_small_chunks.transcript({"url": url, "response_format": "verbose_json"})
        assert (answer["text"], answer["segments"]) == ("", [])
        assert "warnings" not in answer
    assert in_small_chunks.calls() == []
