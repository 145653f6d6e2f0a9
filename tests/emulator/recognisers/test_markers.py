"""Tests of words as tones: each written word is read exactly, or reported as damaged."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.encoding import encode
from support.recordings import recording, silence

from emulator.recognisers.marker_reader import LOST_WORD, MarkerRecogniser, read_markers
from emulator.recognisers.markers import (
    SAMPLE_RATE_HZ,
    Samples,
    sentence_samples,
    silence_samples,
    symbols_of,
    vocabulary,
    word_of,
    word_samples,
)

WORDS = st.lists(st.sampled_from(vocabulary()), min_size=1, max_size=8)
EDGE = silence_samples(0.2)


def read(samples: Samples) -> list[str]:
    """The words of 16 kHz samples, read from a WAV file."""
    return words(MarkerRecogniser().recognise(io.BytesIO(encode(samples, "wav", "pcm_s16le"))).text)


def words(text: str) -> list[str]:
    return text.lower().replace(".", "").split()


def test_vocabulary_is_large_and_unambiguous() -> None:
    """There are more than 500 different words, and each has tones that no other word has."""
    assert len(set(vocabulary())) == len(vocabulary()) == 529
    assert [word_of(symbols_of(word)) for word in vocabulary()] == list(vocabulary())


def test_words_differ_in_three_tones() -> None:
    """Two wrong tones never turn a word into another, nor do the halves of two words form a third."""
    spelt = np.array([symbols_of(word) for word in vocabulary()])
    differences = (spelt[:, None] != spelt[None]).sum(axis=2)
    assert differences[~np.eye(len(spelt), dtype=bool)].min() == 3


def test_unknown_word_is_an_error() -> None:
    """A word outside of the vocabulary is refused, and the error names it."""
    with pytest.raises(ValueError, match="'hello'"):
        word_samples("hello")


@settings(max_examples=40, deadline=None)
@given(words=WORDS, offset=st.integers(0, 4000), level_db=st.floats(-20, 20))
def test_words_are_read_as_written(words: list[str], offset: int, level_db: float) -> None:
    """Any words in any order, at any position and level, clipped or soft, are read as they were written."""
    loud = np.concatenate([np.zeros(offset, np.int16), sentence_samples(words), EDGE]) * 10 ** (level_db / 20)
    assert read(np.clip(loud, -32768, 32767).astype(np.int16)) == words


@pytest.mark.parametrize("level", [0.1, 10.0])
@pytest.mark.parametrize(
    ("container", "codec", "rate_hz", "bits_per_second"),
    [
        ("wav", "pcm_mulaw", 8_000, None),
        ("mp3", "libmp3lame", 16_000, 32_000),
        ("mp3", "libmp3lame", 44_100, 128_000),
        ("mp3", "libmp3lame", 8_000, 8_000),
        ("adts", "aac", 16_000, 32_000),
        ("mp4", "aac", 48_000, 64_000),
        ("ogg", "libopus", 48_000, 16_000),
        ("ogg", "vorbis", 44_100, 64_000),
        ("amr", "libopencore_amrnb", 8_000, 12_200),
    ],
)
def test_words_survive_codecs(
    container: str, codec: str, rate_hz: int, bits_per_second: int | None, level: float
) -> None:
    """With 20 dB more or less, and at low bit rates, every tenth word of the vocabulary survives every codec."""
    written = list(vocabulary()[::10])
    samples = np.concatenate([EDGE, sentence_samples(written), EDGE]) * level
    data = encode(
        np.clip(samples, -32768, 32767).astype(np.int16), container, codec, rate_hz=rate_hz, bit_rate=bits_per_second
    )
    assert words(MarkerRecogniser().recognise(io.BytesIO(data)).text) == written


@settings(max_examples=40, deadline=None)
@given(words=WORDS, where=st.floats(0, 1))
def test_cut_gives_no_wrong_word(words: list[str], where: float) -> None:
    """Of two parts, the first has the first words and the second the last ones, and no word is in both."""
    whole = np.concatenate([EDGE, sentence_samples(words), EDGE])
    at = int(where * len(whole))
    first, second = read(whole[:at]), read(whole[at:])
    known_first = [word for word in first if word != LOST_WORD]
    known_second = [word for word in second if word != LOST_WORD]
    assert known_first == words[: len(known_first)]
    assert known_second == words[len(words) - len(known_second) :]
    assert len(words) - 1 <= len(known_first) + len(known_second) <= len(words)
    if len(known_first) + len(known_second) < len(words):
        assert LOST_WORD in first + second


@settings(max_examples=40, deadline=None)
@given(words=WORDS, start=st.floats(0, 1), seconds=st.floats(0.05, 0.6))
def test_gap_gives_no_wrong_word(words: list[str], start: float, seconds: float) -> None:
    """If a part is removed and the ends are joined, words are missing, and no wrong ones appear."""
    whole = np.concatenate([EDGE, sentence_samples(words), EDGE])
    first = int(start * len(whole))
    left = [
        word
        for word in read(np.delete(whole, slice(first, first + int(seconds * SAMPLE_RATE_HZ))))
        if word != LOST_WORD
    ]
    rest = iter(words)
    assert all(word in rest for word in left)
    assert len(words) - len(left) <= 3


def test_damaged_word_is_reported_in_its_position() -> None:
    """A word with a silent middle is reported as lost, once, between its neighbours."""
    middle = word_samples("deki")
    middle[2048:4096] = 0
    gap = silence_samples(0.1)
    samples = np.concatenate([EDGE, word_samples("baba"), gap, middle, gap, word_samples("sami"), EDGE])
    found = read(samples)
    assert (found[0], found[-1]) == ("baba", "sami")
    assert set(found[1:-1]) == {LOST_WORD}


def test_sentences_have_true_times() -> None:
    """A pause starts a new segment; its times are those of its words, to a fiftieth of a second."""
    one, two = sentence_samples(["baba", "deki"]), sentence_samples(["sami", "tutu", "kobi"])
    pause, edge = silence_samples(0.7), silence_samples(1.25)
    recognition = MarkerRecogniser().recognise(
        io.BytesIO(encode(np.concatenate([edge, one, pause, two, edge]), "wav", "pcm_s16le"))
    )
    borders = np.cumsum([len(edge), len(one), len(pause), len(two)]) / SAMPLE_RATE_HZ
    assert [segment.text for segment in recognition.segments] == ["Baba deki.", "Sami tutu kobi."]
    times = [time for segment in recognition.segments for time in (segment.start_seconds, segment.end_seconds)]
    assert times == pytest.approx(borders, abs=0.02)
    assert all(before < after for before, after in pairwise(times))
    assert recognition.text == "Baba deki. Sami tutu kobi."
    assert recognition.language == "en"
    assert recognition.duration_seconds == pytest.approx(borders[-1] + 1.25, abs=0.001)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 3.0])
def test_silence_is_an_empty_text(seconds: float) -> None:
    """Silence of any length, also of zero, has no words and no segments."""
    recognition = MarkerRecogniser().recognise(io.BytesIO(silence(seconds)))
    assert (recognition.text, recognition.segments) == ("", ())


def test_noise_is_an_empty_text() -> None:
    """Noise, loud or soft, is not read as tones."""
    noise = np.random.default_rng(1).normal(0, 0.2, 80_000).astype(np.float32)
    assert read_markers(noise) == []
    assert read_markers(noise * np.float32(0.01)) == []


def test_speech_has_no_words_of_the_code() -> None:
    """A real voice is never read as a word of the code."""
    recognition = MarkerRecogniser().recognise(io.BytesIO(recording("jfk.wav")))
    assert set(words(recognition.text)) <= {LOST_WORD}


def test_words_are_read_in_noise() -> None:
    """Noise 20 dB below the tones changes nothing."""
    written = list(vocabulary()[::20])
    samples = np.concatenate([EDGE, sentence_samples(written), EDGE])
    noise = np.random.default_rng(1).normal(0, 560, len(samples))
    assert read((samples + noise).astype(np.int16)) == written


def test_damaged_audio_is_read_around_the_damage() -> None:
    """In an MP3 with a gap, the words before and after it are read."""
    written = list(vocabulary()[::10])
    data = bytearray(
        encode(np.concatenate([EDGE, sentence_samples(written), EDGE]), "mp3", "libmp3lame", bit_rate=32_000)
    )
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    found = words(MarkerRecogniser().recognise(io.BytesIO(bytes(data))).text)
    assert found[:20] == written[:20]
    assert found[-20:] == written[-20:]
    assert set(found) <= {*written, LOST_WORD}


def test_tokens_join_to_the_text() -> None:
    """Tokens, joined, are the text."""
    assert MarkerRecogniser().tokens("Baba [?] deki.") == ["Baba", " [?]", " deki."]
