"""Recordings of every kind that people have, through the whole function, to a real recogniser and back."""

import base64
import io
import wave
from collections.abc import Iterator
from itertools import cycle

import numpy as np
import pytest
from support.kinds import Kind, kinds
from support.local_function import VOXTRAL, WHISPER, LocalFunction, local_function
from support.loopback import serve
from support.recordings import recording, word_error_rate

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples

pytestmark = pytest.mark.timeout(300)  # the first answer waits for the recogniser's model

# The recogniser takes a second for each, however short: of what differs little from another kind, one is enough.
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
TALKS = ("austen-0870.wav", "austen-0890.wav")
TABLE = list(zip([kind for kind in kinds() if kind.name in TRANSCRIBED], cycle(TALKS), strict=False))


@pytest.fixture(scope="module")
def function() -> Iterator[LocalFunction]:
    with local_function("whisper") as running:
        yield running


def samples_of(name: str) -> Samples:
    with wave.open(io.BytesIO(recording(name))) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), np.int16)


def test_the_table_is_whole() -> None:
    """Every kind in the table exists."""
    assert [kind.name for kind, _ in TABLE if kind.name in TRANSCRIBED] == [kind.name for kind, _ in TABLE]
    assert {kind.name for kind, _ in TABLE} == set(TRANSCRIBED)


@pytest.mark.parametrize("model", [VOXTRAL, WHISPER])
@pytest.mark.parametrize(("kind", "talk"), TABLE, ids=[kind.name for kind, _ in TABLE])
def test_kinds_of_recordings(function: LocalFunction, kind: Kind, talk: str, model: str) -> None:
    """Each kind of file, sent in the request or found at an address that lies about it, comes back as its words."""
    data = kind.make(samples_of(talk))
    if model == VOXTRAL:
        answer = function.transcript(base64.b64encode(data).decode(), params={"model": model})
    else:
        with serve(lambda peer: peer.answer(data, Content_Type="text/html")) as server:
            answer = function.transcript({"url": f"{server.url}/page.html", "model": model})
    assert word_error_rate(talk, answer["text"]) <= 0.1, answer
    assert answer["duration"] == pytest.approx(len(samples_of(talk)) / SAMPLE_RATE_HZ, abs=0.3)
    # Its header says an hour.
    assert ("warnings" in answer) == (kind.name == "WAV cut off: shorter than it says"), answer
