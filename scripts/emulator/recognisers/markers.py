"""Recordings whose words are tones: an audible code that can be read without error, for tests of long audio.

A word is six tones of 64 ms, one after the other: a start, two that spell the word, two that check them, a stop. Any
two different words differ in at least three of the inner four, so a word that was cut, or joined from two halves, is
recognised as damaged and never as another word. The tones are in the telephone band, and sound one at a time, so the
code survives speech codecs, low bit rates, resampling and clipping. To try it:

    PYTHONPATH=scripts .venv/bin/python -m emulator.recognisers.markers markers.wav baba deki sami
    scripts/emulate --recogniser markers

Words follow one another after about a tenth of a second, as in speech; the pauses between sentences are the caller's.
`emulator.recognisers.marker_reader` reads them.
"""

import argparse
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

SAMPLE_RATE_HZ: Final = 16_000
SYMBOL_SECONDS: Final = 0.064

# A prime, so that the numbers below it form a field, where two check symbols for two values give a distance of three.
BASE: Final = 23
START: Final = BASE
STOP: Final = BASE + 1
# 100 Hz apart, where a window of 48 ms resolves 42 Hz; within the telephone band of 300 Hz to 3.4 kHz.
_FIRST_HZ = 500
_SPACING_HZ = 100
# The start is the lowest tone, the stop the highest, the numbers between them.
TONES_HZ: Final = (
    *(_FIRST_HZ + _SPACING_HZ * (number + 1) for number in range(BASE)),
    _FIRST_HZ,
    _FIRST_HZ + _SPACING_HZ * (BASE + 1),
)
SYMBOLS_IN_WORD: Final = 6
WORD_SECONDS: Final = SYMBOLS_IN_WORD * SYMBOL_SECONDS

# Long enough that a tone's edges do not click over the whole spectrum, short enough to leave 48 ms at full level.
_EDGE_SECONDS = 0.008
# The level of loud speech, 12 dB below clipping; a single tone survives even that.
_AMPLITUDE = 8_000

# The gaps between words of a sentence: as short as a consonant's closure, and of varying length.
_SHORTEST_GAP_MILLISECONDS = 60
_GAP_RANGE_MILLISECONDS = 61

_SYLLABLES: Final = (
    *("ba", "be", "bi", "bo", "da", "de", "di", "do", "ka", "ke", "ki", "ko"),
    *("ma", "me", "mi", "mu", "na", "no", "pa", "pe", "ro", "sa", "tu"),
)


def vocabulary() -> tuple[str, ...]:
    """The 529 words, each of two syllables."""
    return tuple(first + second for first in _SYLLABLES for second in _SYLLABLES)


def symbols_of(word: str) -> tuple[int, ...]:
    """The indices in `TONES_HZ` of a word's six tones; `ValueError` for an unknown word."""
    first, second = word[:2].lower(), word[2:].lower()
    if first not in _SYLLABLES or second not in _SYLLABLES:
        raise ValueError(f"{word!r} is not a word of this code: two syllables out of {', '.join(_SYLLABLES)}")
    a, b = _SYLLABLES.index(first), _SYLLABLES.index(second)
    return (START, a, b, *_checks(a, b), STOP)


def word_of(symbols: Sequence[int]) -> str | None:
    """The word of six symbols; `None` if they are not a valid word."""
    start, a, b, sum_check, weighted_check, stop = symbols
    if (start, stop) != (START, STOP) or max(a, b) >= BASE or (sum_check, weighted_check) != _checks(a, b):
        return None
    return _SYLLABLES[a] + _SYLLABLES[b]


def word_samples(word: str) -> Samples:
    """A word as 16-bit samples, mono, 16 kHz, without silence around it."""
    count = round(SYMBOL_SECONDS * SAMPLE_RATE_HZ)
    edge_count = round(_EDGE_SECONDS * SAMPLE_RATE_HZ)
    rise = np.sin(np.pi / 2 * (np.arange(edge_count) + 0.5) / edge_count) ** 2
    envelope = np.concatenate([rise, np.ones(count - 2 * edge_count), rise[::-1]])
    times = np.arange(count) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * TONES_HZ[symbol] * times) * envelope for symbol in symbols_of(word)]
    samples: Samples = np.rint(np.concatenate(tones) * _AMPLITUDE).astype(np.int16)
    return samples


def sentence_samples(words: Sequence[str]) -> Samples:
    """Words with gaps of 60 to 120 ms between them, which depend on the words, and no silence around them."""
    parts = [word_samples(words[0])] if words else [silence_samples(0)]
    for before, word in pairwise(words):
        parts += [silence_samples(_gap_seconds(before)), word_samples(word)]
    return np.concatenate(parts)


def silence_samples(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.int16)


def _checks(a: int, b: int) -> tuple[int, int]:
    return (a + b) % BASE, (a + 2 * b) % BASE


def _gap_seconds(word: str) -> float:
    # 37 is coprime to the range, so neighbours in the vocabulary have widely different gaps.
    spread = 37 * (BASE * symbols_of(word)[1] + symbols_of(word)[2]) % _GAP_RANGE_MILLISECONDS
    return (_SHORTEST_GAP_MILLISECONDS + spread) / 1000


def main() -> None:
    """Write a WAV file with the words of the command line, with half a second of silence around them."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator.recognisers.markers", description="Words as tones, in a WAV file."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("words", nargs="+", metavar="WORD", help=f"two syllables out of {', '.join(_SYLLABLES)}")
    arguments = parser.parse_args()
    try:
        spoken = sentence_samples(arguments.words)
    except ValueError as error:
        parser.error(str(error))
    around = silence_samples(0.5)
    with wave.open(str(arguments.file), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes(np.concatenate([around, spoken, around]).tobytes())


if __name__ == "__main__":
    main()
