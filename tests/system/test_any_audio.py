"""Recordings of every kind that people have, through the whole function, to a recogniser and back."""

import base64
import io
import wave
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from support.kinds import Kind, kinds
from support.local_function import VOXTRAL, WHISPER, LocalFunction, local_function
from support.long_recordings import marked_speech
from support.loopback import serve
from support.recordings import recording, spoken_words, word_error_rate

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples

pytestmark = pytest.mark.timeout(300)  # the first answer waits for the recogniser's model

# Of these, each one is transcribed by a real recogniser, which takes seconds for each: what differs little from another
# kind is left out.
TRANSCRIBED = (
    "WAV s24",
    "WAV stereo",
    "WAV s24 stereo 48 kHz",
    "WAV s16 96 kHz",
    "WAV mu-law 8 kHz",
    "WAV IMA ADPCM",
    "WAV RF64",
    "WAV of data length 0xFFFFFFFF",
    "WAV cut off: shorter than it says",
    "MP3 VBR",
    "MP3 MPEG-2.5 8 kHz",
    "MP3 with a large cover picture",
    "M4A, moov at the end",
    "M4A with ALAC",
    "M4A in fragments",
    "AAC (ADTS)",
    "3GP with AMR",
    "AMR",
    "WebM with Opus",
    "Ogg with Opus",
    "Ogg with Vorbis",
    "FLAC",
    "WMA",
    "MP4 video",
    "QuickTime video",
    "MPEG-TS video",
)
# Sent as it is, decoded, and decoded from a telephone's 8 kHz: without --all, these stand for the table.
ALWAYS_TRANSCRIBED = {"MP3 VBR": VOXTRAL, "M4A, moov at the end": WHISPER, "WAV mu-law 8 kHz": VOXTRAL}
TALKS = ("austen-0870.wav", "austen-0890.wav")
TABLE = [
    pytest.param(
        *(kind, talk, model),
        id=f"{kind.name}-{model}",
        marks=() if ALWAYS_TRANSCRIBED.get(kind.name) == model else pytest.mark.long,
    )
    for kind, talk in zip([kind for kind in kinds() if kind.name in TRANSCRIBED], cycle(TALKS), strict=False)
    for model in (VOXTRAL, WHISPER)
]
# By the one way or the other: in the request to the chat model, at an address to the other one. Both with --all.
EXACT_TABLE = [
    pytest.param(kind, model, id=f"{kind.name}-{model}", marks=() if model == first else pytest.mark.long)
    for kind, first in zip(kinds(), cycle((VOXTRAL, WHISPER)), strict=False)
    for model in (VOXTRAL, WHISPER)
]


@pytest.fixture(scope="module")
def exact() -> Iterator[LocalFunction]:
    with local_function("markers") as running:
        yield running


@pytest.fixture(scope="module")
def real() -> Iterator[LocalFunction]:
    with local_function("whisper") as running:
        yield running


def samples_of(name: str) -> Samples:
    with wave.open(io.BytesIO(recording(name))) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), np.int16)


def transcript_of(function: LocalFunction, data: bytes, model: str) -> dict[str, Any]:
    """The answer to `data`, sent in the request or found at an address that lies about it."""
    if model == VOXTRAL:
        return function.transcript(base64.b64encode(data).decode(), params={"model": model})
    with serve(lambda peer: peer.answer(data, Content_Type="text/html")) as server:
        return function.transcript({"url": f"{server.url}/page.html", "model": model})


def check_length(answer: dict[str, Any], kind: Kind, samples: Samples) -> None:
    """It plays as long as the sound that went in, and only the file that says so of itself is cut off."""
    assert answer["duration"] == pytest.approx(len(samples) / SAMPLE_RATE_HZ, abs=0.3)
    # Its header says an hour.
    assert ("warnings" in answer) == (kind.name == "WAV cut off: shorter than it says"), answer


def test_the_table_is_whole() -> None:
    """Every kind in the table exists."""
    names = {kind.name for kind in kinds()}
    assert set(ALWAYS_TRANSCRIBED) <= set(TRANSCRIBED) <= names
    assert len(TABLE) == 2 * len(TRANSCRIBED)


@pytest.mark.parametrize(("kind", "model"), EXACT_TABLE)
def test_kinds_of_recordings(exact: LocalFunction, kind: Kind, model: str) -> None:
    """Each kind of file, sent in the request or found at an address that lies about it, comes back as its words."""
    talk = marked_speech(0.15, seed=7)
    answer = transcript_of(exact, kind.make(talk.samples), model)
    assert spoken_words(answer["text"]) == talk.words
    check_length(answer, kind, talk.samples)


@pytest.mark.parametrize(("kind", "talk", "model"), TABLE)
def test_kinds_of_real_speech(real: LocalFunction, kind: Kind, talk: str, model: str) -> None:
    """Each kind of file leaves speech such that a real recogniser finds its words."""
    samples = samples_of(talk)
    answer = transcript_of(real, kind.make(samples), model)
    assert word_error_rate(talk, answer["text"]) <= 0.1, answer
    check_length(answer, kind, samples)
