"""Tests of the long recordings: every sentence is where they say, also in the files that repeat them."""

import io
from itertools import pairwise

import numpy as np
import pytest
from support.encoding import decode, encode
from support.long_recordings import marked_speech, real_speech, repeat
from support.recordings import WORDS, recording

from emulator.recognisers.marker_reader import MarkerRecogniser
from emulator.recognisers.markers import SAMPLE_RATE_HZ


def test_marked_speech_is_what_it_says() -> None:
    """In noise, too, each sentence is read where it is said to be, and nothing else is."""
    long = marked_speech(2, seed=3, noise_dbfs=-60)
    heard = MarkerRecogniser().recognise(io.BytesIO(encode(long.samples, "wav", "pcm_s16le")))
    assert len(long.samples) == 120 * SAMPLE_RATE_HZ
    assert [segment.text.lower().rstrip(".") for segment in heard.segments] == [said.words for said in long.sentences]
    assert [segment.start_seconds for segment in heard.segments] == pytest.approx(
        [said.start_seconds for said in long.sentences], abs=0.02
    )


def test_real_speech_has_its_sentences_and_pauses() -> None:
    """The samples of a sentence are those of its recording, none comes twice running, and silence is between them."""
    long = real_speech(2, seed=3)
    names = {words: name for name, words in WORDS.items() if name.endswith(".wav")}
    first = long.sentences[0]
    start, end = (round(time * SAMPLE_RATE_HZ) for time in (first.start_seconds, first.end_seconds))
    assert np.array_equal(long.samples[start:end], decode(recording(names[first.words])))
    assert all(before.words != after.words for before, after in pairwise(long.sentences))
    assert all(0.49 < after.start_seconds - before.end_seconds < 2.01 for before, after in pairwise(long.sentences))
    assert len(long.sentences) > 10


def test_a_seed_makes_the_same_recording() -> None:
    """The same seed gives the same samples, another one other sentences."""
    one, again, other = (real_speech(0.5, seed=seed, noise_dbfs=-50) for seed in (1, 1, 2))
    assert np.array_equal(one.samples, again.samples)
    assert one.words != other.words


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz", "encoder_options"),
    [
        ("mp3", "libmp3lame", 44_100, {"write_xing": "0", "id3v2_version": "0"}),
        ("mp3", "libmp3lame", 16_000, {"write_xing": "0", "id3v2_version": "0"}),
        ("ipod", "aac", 44_100, {}),
        ("ogg", "libopus", 48_000, {}),
        ("webm", "libopus", 48_000, {}),
    ],
)
def test_repeated_block_loses_nothing(
    container: str, codec: str, rate_hz: int, encoder_options: dict[str, str]
) -> None:
    """Four times half a minute is two minutes, with every sentence at its time and no damage where blocks meet."""
    block = marked_speech(0.5)
    encoded = encode(block.samples, container, codec, rate_hz=rate_hz, bit_rate=32_000, options=encoder_options)
    long = repeat(block, encoded, 4, container=container)
    heard = MarkerRecogniser().recognise(io.BytesIO(long.data))
    assert [segment.text.lower().rstrip(".") for segment in heard.segments] == [said.words for said in long.sentences]
    assert [segment.start_seconds for segment in heard.segments] == pytest.approx(
        [said.start_seconds for said in long.sentences], abs=0.2
    )
    assert heard.duration_seconds == pytest.approx(long.duration_seconds, abs=0.2)
    assert long.duration_seconds == pytest.approx(120, abs=1)
