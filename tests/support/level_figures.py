"""Prints what is sent and recognised of speech at several levels, in several noises and formats, and of noise alone.

`PYTHONPATH=tests:scripts:. python -m support.level_figures` takes some minutes; `--sent` leaves the recogniser out.
A cell has a letter for each format: R for words that are recognised, s for sound that is sent, - for what is not.
Sound that is like what was recognised in the same row already is not recognised again.
"""

import io
import sys
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
from support.cutting import bytes_of, chunks_of
from support.encoding import decode
from support.levels import FORMATS, NOISES, Sound, file_of, gain, likeness, noise, speech
from support.recordings import word_error_rate

from emulator.recognisers.base import Recogniser
from emulator.recognisers.markers import SAMPLE_RATE_HZ

NAME: Final = "austen-0870.wav"
MOST_WORDS_WRONG: Final = 0.25
# The difference is 27 dB under the sound.
SAME_LIKENESS: Final = 0.999
# With a temperature of 0, the recogniser tries six times where it is in doubt, and takes minutes.
ONE_ATTEMPT: Final = 0.01
PEAKS_DBFS: Final = (-20, -40, -60, -80)
NOISE_UNDER_SPEECH: Final = (20, 0)
KINDS: Final = (*NOISES, "music")
FORMAT_NAMES: Final = ("WAV 16 bit", "WAV float", "MP3 64", "M4A")
# Of speech, the noise around it is this long; noise alone lasts longer, so that it has more chances to look like words.
MARGIN_SECONDS: Final = 2.0
ALONE_SECONDS: Final = 60.0
# Triads, whose notes have three harmonics each and fade; a bar for each.
CHORDS_HZ: Final = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
BAR_SECONDS: Final = 0.8


def music(seconds: float) -> Sound:
    """Struck chords, with a peak of 1."""
    at = np.arange(round(BAR_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    bars = [
        sum(np.sin(2 * np.pi * hertz * number * at) / number for hertz in chord for number in (1, 2, 3))
        * np.exp(-at * 3)
        for chord in CHORDS_HZ
    ]
    whole = np.resize(np.concatenate(bars), round(seconds * SAMPLE_RATE_HZ))
    peak_of_one: Sound = whole / np.abs(whole).max()
    return peak_of_one


def background(kind: str, seconds: float) -> Sound:
    return music(seconds) if kind == "music" else noise(kind, seconds)


def power(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def in_noise(kind: str, under_decibels: float, peak_dbfs: float) -> Sound:
    """A sentence in noise that has its mean power less `under_decibels`; of hum and an offset, its peak less those."""
    sentence = speech(NAME)
    whole = background(kind, len(sentence) / SAMPLE_RATE_HZ + 2 * MARGIN_SECONDS)
    if kind not in {"hum", "offset"}:
        whole *= power(sentence) / power(whole)
    whole *= gain(-under_decibels)
    start = round(MARGIN_SECONDS * SAMPLE_RATE_HZ)
    whole[start : start + len(sentence)] += sentence
    return whole * gain(peak_dbfs)


class Listener:
    """Finds what becomes of sounds with the same noise."""

    def __init__(self, recogniser: Recogniser | None) -> None:
        self._recogniser = recogniser
        self._known: list[tuple[Sound, str]] = []

    def letter(self, sound: Sound, format_name: str) -> str:
        """What becomes of the sound in this format."""
        chunks = [chunk for chunk in chunks_of(file_of(sound, FORMATS[format_name]), 300) if not chunk.is_silent]
        if not chunks or self._recogniser is None:
            return "s" if chunks else "-"
        (sent,) = map(bytes_of, chunks)
        samples = decode(sent).astype(float)
        found = next((found for other, found in self._known if likeness(samples, other) >= SAME_LIKENESS), None)
        if found is None:
            words = self._recogniser.recognise(io.BytesIO(sent), language="en", temperature=ONE_ATTEMPT).text
            found = "R" if word_error_rate(NAME, words) <= MOST_WORDS_WRONG else "s"
            self._known.append((samples, found))
        return found


def rows(recogniser: Recogniser | None) -> Iterator[str]:
    """The rows of the table, as they are measured."""
    yield f"| {', '.join(FORMAT_NAMES)} | " + " | ".join(f"{peak} dBFS" for peak in PEAKS_DBFS) + " |"
    yield "|---" * (1 + len(PEAKS_DBFS)) + "|"
    silent = np.zeros(round(MARGIN_SECONDS * SAMPLE_RATE_HZ))
    alone = np.concatenate([silent, speech(NAME), silent])
    yield _row("speech alone", [alone * gain(peak) for peak in PEAKS_DBFS], recogniser)
    for under, kind in product(NOISE_UNDER_SPEECH, KINDS):
        label = f"{kind}, {under} dB under it" if under else f"{kind}, as loud as it"
        yield _row(label, [in_noise(kind, under, peak) for peak in PEAKS_DBFS], recogniser)
    for kind in KINDS:
        sound = background(kind, ALONE_SECONDS)
        yield _row(f"{kind} alone", [sound * gain(peak) for peak in PEAKS_DBFS], None)


def _row(label: str, sounds: list[Sound], recogniser: Recogniser | None) -> str:
    listener = Listener(recogniser)
    cells = ("".join(listener.letter(sound, name) for name in FORMAT_NAMES) for sound in sounds)
    return f"| {label} | " + " | ".join(f"`{cell}`" for cell in cells) + " |"


def main() -> None:
    """Print the table."""
    recogniser: Recogniser | None = None
    if "--sent" not in sys.argv:
        from emulator.recognisers.model_files import cache_folder, find_model  # noqa: PLC0415 # not for `--sent`
        from emulator.recognisers.whisper import WhisperRecogniser  # noqa: PLC0415

        recogniser = WhisperRecogniser(find_model(), cache_folder())
    for row in rows(recogniser):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
