"""Makes the recordings of a soak, whose words are known, and files that are not audio; uploads nothing."""

import io
import random
import wave
from dataclasses import dataclass
from typing import Final

import numpy as np

from emulator.recognisers.markers import SAMPLE_RATE_HZ, sentence_samples, silence_samples, vocabulary

PREFIX: Final = "incoming/"
# Two words are the shortest recording that two of the backlog never share: there are 529 * 529 of them.
WORDS: Final = 2
AROUND_SECONDS: Final = 0.2
# One file in this many is not audio, and has to end with an error record.
DAMAGED_EACH: Final = 20


@dataclass(frozen=True)
class Recording:
    """An object to upload, and the words in it; None where it is not audio."""

    key: str
    body: bytes
    words: str | None


def backlog(count: int, seed: int) -> list[Recording]:
    """`count` recordings of 1.3 s, no two alike; one file in `DAMAGED_EACH` is not audio."""
    words = vocabulary()
    pairs = random.Random(seed).sample(range(len(words) ** WORDS), count)  # noqa: S311 # a run that can be repeated
    return [
        _recording(number, [words[pair // len(words)], words[pair % len(words)]]) for number, pair in enumerate(pairs)
    ]


def _recording(number: int, words: list[str]) -> Recording:
    key = f"{PREFIX}{number:05}.wav"
    if number % DAMAGED_EACH == DAMAGED_EACH - 1:
        return Recording(key, f"<html>{' '.join(words)}</html>".encode(), None)
    around = silence_samples(AROUND_SECONDS)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes(np.concatenate([around, sentence_samples(words), around]).tobytes())
    return Recording(key, file.getvalue(), " ".join(words))
