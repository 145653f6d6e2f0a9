"""The recordings with known words, and how much of a transcript differs from them."""

import io
import re
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jiwer

AUDIO: Final = Path(__file__).parents[1] / "audio"

_JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
_DASHWOOD = (
    "and mister john dashwood had then leisure to consider "
    "how much there might be prudently in his power to do for them"
)

WORDS: Final = {
    "jfk.wav": _JFK,
    "jfk.mp3": _JFK,
    "austen-0870.wav": _DASHWOOD,
    "austen-0880.wav": "he was not an ill disposed young man",
    "austen-0890.wav": "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "austen-0930.wav": "he might even have been made amiable himself",
}


def recording(name: str) -> bytes:
    return (AUDIO / name).read_bytes()


def silence(seconds: float, *, sample_rate_hz: int = 16_000, channels: int = 1) -> bytes:
    """A WAV file of digital silence, 16 bits a sample."""
    return _wav(bytes(int(seconds * sample_rate_hz) * 2 * channels), sample_rate_hz, channels)


def hum(seconds: float, *, pauses: Sequence[tuple[float, float]] = (), sample_rate_hz: int = 16_000) -> bytes:
    """A WAV file of a hum as loud as speech, silent from the first to the second moment of each pause.

    Like a voice, and unlike a mains hum, it has syllables: every other quarter of a second is 12 dB quieter.
    """
    half_period = sample_rate_hz // 400
    syllables = b"".join(
        (half_period * level.to_bytes(2, "little") + half_period * (-level).to_bytes(2, "little", signed=True)) * 50
        for level in (8_000, 2_000)
    )
    size = int(seconds * sample_rate_hz) * 2
    samples = bytearray(syllables * (size // len(syllables) + 1))[:size]
    for start, end in pauses:
        first, last = (2 * int(moment * sample_rate_hz) for moment in (start, end))
        samples[first:last] = bytes(last - first)
    return _wav(bytes(samples), sample_rate_hz, channels=1)


def _wav(samples: bytes, sample_rate_hz: int, channels: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate_hz)
        writer.writeframes(samples)
    return file.getvalue()


def word_error_rate(name: str, transcript: str) -> float:
    """The share of the recording's words that `transcript` has wrong, without regard to case and punctuation."""
    return float(jiwer.wer(WORDS[name], spoken_words(transcript)))


def spoken_words(transcript: str) -> str:
    """The words of `transcript` as they are in WORDS: in lower case, without punctuation, abbreviations in full."""
    heard = re.sub(r"[^a-z' ]+", " ", transcript.lower().replace("-", " ").replace("mr.", "mister"))
    return " ".join(heard.split())
