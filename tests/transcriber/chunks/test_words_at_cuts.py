"""Cuts break no word where there is no pause: words follow one another after 60 to 120 ms, for minutes."""

import io
import random

import pytest
from support.cutting import bytes_of, chunks_of
from support.encoding import encode
from support.recordings import spoken_words
from support.wav_files import wav_file

from emulator.recognisers.marker_reader import MarkerRecogniser
from emulator.recognisers.markers import sentence_samples, vocabulary

# Some four minutes, and a cut every twenty seconds or so.
WORDS = random.Random(4).choices(vocabulary(), k=480)  # noqa: S311 # the same words every time, and nothing secret
CHUNK_SECONDS = 20
MP3 = {
    "MPEG-2.5, 8 kHz, 24 kbit/s": (8_000, 24_000, 1),
    "MPEG-2.5, 8 kHz, 16 kbit/s": (8_000, 16_000, 1),
    "MPEG-2.5, 8 kHz, stereo": (8_000, 32_000, 2),
    "MPEG-2.5, 11 kHz": (11_025, 24_000, 1),
    "MPEG-2.5, 12 kHz": (12_000, 24_000, 1),
    "MPEG-2, 16 kHz": (16_000, 32_000, 1),
    "MPEG-2, 22 kHz": (22_050, 48_000, 1),
    "MPEG-1, 44 kHz": (44_100, 64_000, 1),
}


def words_of(data: bytes) -> list[str]:
    chunks = chunks_of(data, CHUNK_SECONDS)
    assert len(chunks) > 8
    reader = MarkerRecogniser()
    texts = (reader.recognise(io.BytesIO(bytes_of(chunk))).text for chunk in chunks)
    return [word for text in texts for word in spoken_words(text).split()]


@pytest.mark.parametrize("name", MP3)
def test_cuts_of_mp3_break_no_word(name: str) -> None:
    """MP3 of every rate is cut between words, also where its frames are longer than the gaps between them."""
    rate_hz, bit_rate, channels = MP3[name]
    data = encode(sentence_samples(WORDS), "mp3", "libmp3lame", rate_hz=rate_hz, bit_rate=bit_rate, channels=channels)
    assert words_of(data) == WORDS


def test_cuts_of_samples_break_no_word() -> None:
    """WAV is cut between words."""
    assert words_of(wav_file(sentence_samples(WORDS))) == WORDS
