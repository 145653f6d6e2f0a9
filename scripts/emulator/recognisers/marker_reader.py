"""A recogniser that is exact to the word: it reads the tones that `emulator.recognisers.markers` writes.

It never guesses. A word with a missing part becomes `[?]`, which shows a cut within a word, or a lost part of one. Any
other sound counts as silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO, Final

import av
import numpy as np
from av.error import FFmpegError
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emulator.recognisers.base import Recognition, Segment, words_with_spaces
from emulator.recognisers.markers import SYMBOL_SECONDS, SYMBOLS_IN_WORD, TONES_HZ, WORD_SECONDS, word_of

LANGUAGE: Final = "en"
LOST_WORD: Final = "[?]"
# Between sentences there is at least this much silence, between words far less.
SENTENCE_PAUSE_SECONDS: Final = 0.4

# Half of the markers' rate, for half the data; the highest tone, at 2.9 kHz, is still below the limit of 4 kHz.
_RATE_HZ = 8_000
# Two hops shorter than a tone, so that in some position a window lies within a single tone.
_WINDOW = 384
_HOP = 64
_HOP_SECONDS = _HOP / _RATE_HZ
_HOPS_IN_SYMBOL = round(SYMBOL_SECONDS / _HOP_SECONDS)
# One tone's share of a window's power: 1 for a pure tone, 0.01 for noise; 0.6 after codecs at their lowest rate.
_LEAST_PURITY = 0.4
# A quiet speaker in a quiet room is 20 dB louder; the silence that decoders produce is 20 dB softer.
_LEAST_POWER = 10 ** (-60 / 10)
# The smear that codecs add before and after a word belongs to the word; a bit over half of the shortest gap.
_SMEAR_SECONDS = 0.048
# A smaller part of a word is ignored, as in speech.
_LEAST_FRAGMENT_SECONDS = 0.04
# The number of windows in a block: 40 MB of memory, independent of the audio's length.
_BLOCK = 1 << 14


@dataclass(frozen=True)
class MarkedWord:
    """A word or `LOST_WORD`, and its position in the audio."""

    text: str
    start_seconds: float
    end_seconds: float


class MarkerRecogniser:
    """Reads markers, at least a hundred times faster than real time, in any number of threads."""

    def recognise(
        self,
        audio: BinaryIO,
        *,
        language: str | None = None,
        prompt: str | None = None,  # noqa: ARG002 # required by the protocol
        temperature: float = 0.0,  # noqa: ARG002 # required by the protocol
    ) -> Recognition:
        """Read the words in `audio`, with a segment for each sentence; empty if there are none.

        Raises PyAV's `FFmpegError` for bytes that are not audio.
        """
        samples = _decode(audio)
        segments = tuple(_segment(sentence) for sentence in _sentences(read_markers(samples)))
        return Recognition(
            text=" ".join(segment.text for segment in segments),
            segments=segments,
            language=language or LANGUAGE,
            duration_seconds=len(samples) / _RATE_HZ,
        )

    def tokens(self, text: str) -> list[str]:
        """A token is a word with the space before it."""
        return words_with_spaces(text)


def read_markers(samples: NDArray[np.float32]) -> list[MarkedWord]:
    """The words in `samples` (mono, 8 kHz, full scale 1), in order; a damaged word is `LOST_WORD`."""
    # Silence on both sides, so that a tone at the edge is in the middle of some window.
    margin = np.zeros(_WINDOW, np.float32)
    tones, purity = _strongest_tones(np.concatenate([margin, samples, margin]))
    # The windows' centres, relative to the first sample; the first window ends where the samples begin.
    centres = np.arange(len(tones)) * _HOP_SECONDS - _WINDOW / 2 / _RATE_HZ
    words = list(_whole_words(tones, purity, centres))
    has_tone = purity > 0
    for word in words:
        first, last = np.searchsorted(centres, [word.start_seconds - _SMEAR_SECONDS, word.end_seconds + _SMEAR_SECONDS])
        has_tone[first:last] = False
    return sorted([*words, *_fragments(has_tone, centres)], key=lambda word: word.start_seconds)


def _strongest_tones(samples: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each window, the index of its loudest tone and that tone's share of the power, 0 if there is no tone."""
    envelope = np.hanning(_WINDOW + 2)[1:-1]
    phases = 2j * np.pi * np.outer(np.arange(_WINDOW) / _RATE_HZ, TONES_HZ)
    waves = (envelope[:, None] * np.exp(-phases)).astype(np.complex64)
    waves_by_part = np.concatenate([waves.real, waves.imag], axis=1)
    weights = (envelope**2).astype(np.float32)
    # Makes the purity of a pure tone 1.
    scale = np.float32(2 / envelope.sum() ** 2 * (envelope**2).sum())
    windows = sliding_window_view(samples, _WINDOW)[::_HOP]
    strongest = np.zeros(len(windows), np.intp)
    purity = np.zeros(len(windows), np.float32)
    least_energy = _LEAST_POWER * weights.sum()
    # Silence, which is most of many recordings, costs a sum: no weight is over 1.
    loud = np.flatnonzero(_energies(samples)[: len(windows)] >= least_energy)
    for start in range(0, len(loud), _BLOCK):
        chosen = loud[start : start + _BLOCK]
        block = windows[chosen]
        parts = block @ waves_by_part
        powers = parts[:, : len(TONES_HZ)] ** 2 + parts[:, len(TONES_HZ) :] ** 2
        energy = np.square(block) @ weights
        best = powers.argmax(axis=1)
        share = scale * powers[np.arange(len(best)), best] / np.maximum(energy, np.float32(1e-12))
        strongest[chosen] = best
        purity[chosen] = np.where((energy >= least_energy) & (share >= _LEAST_PURITY), share, 0)
    return strongest, purity


def _energies(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each window, at least the sum of its samples' squares."""
    hops = np.square(samples, dtype=np.float64)
    hops = np.append(hops, np.zeros(-len(hops) % _HOP)).reshape(-1, _HOP).sum(axis=1)
    hops = np.append(hops, np.zeros(_WINDOW // _HOP - 1))
    energies: NDArray[np.float64] = sliding_window_view(hops, _WINDOW // _HOP).sum(axis=1)
    return energies


def _whole_words(
    tones: NDArray[np.intp], purity: NDArray[np.float32], centres: NDArray[np.floating[Any]]
) -> Iterator[MarkedWord]:
    """The words with all of their tones, each at the position where its tones are purest."""
    last_offset = _HOPS_IN_SYMBOL * (SYMBOLS_IN_WORD - 1)
    count = max(0, len(tones) - last_offset)
    offsets = range(0, last_offset + 1, _HOPS_IN_SYMBOL)
    symbols = np.stack([tones[offset : offset + count] for offset in offsets], axis=1)
    purities = np.stack([purity[offset : offset + count] for offset in offsets], axis=1)
    fits = np.flatnonzero(purities.min(axis=1, initial=1) > 0)
    readable = [(int(index), word) for index in fits if (word := word_of(symbols[index].tolist()))]
    for group in _runs(readable):
        index, word = max(group, key=lambda candidate: float(purities[candidate[0]].sum()))
        start_seconds = float(centres[index]) - SYMBOL_SECONDS / 2
        yield MarkedWord(word, max(0.0, start_seconds), start_seconds + WORD_SECONDS)


def _runs(readable: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Group readings less than a tone apart: they belong to the same word."""
    run: list[tuple[int, str]] = []
    for candidate in readable:
        if run and candidate[0] - run[-1][0] >= _HOPS_IN_SYMBOL:
            yield run
            run = []
        run.append(candidate)
    if run:
        yield run


def _fragments(has_tone: NDArray[np.bool_], centres: NDArray[np.floating[Any]]) -> Iterator[MarkedWord]:
    """A `LOST_WORD` for each run of tones outside of the whole words."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], has_tone, [False]]).astype(np.int8)))
    for first, end in edges.reshape(-1, 2):
        start_seconds, end_seconds = float(centres[first]), float(centres[end - 1]) + _HOP_SECONDS
        if end_seconds - start_seconds >= _LEAST_FRAGMENT_SECONDS:
            yield MarkedWord(LOST_WORD, max(0.0, start_seconds), end_seconds)


def _sentences(words: list[MarkedWord]) -> Iterator[list[MarkedWord]]:
    if not words:
        return
    sentence = words[:1]
    for before, word in pairwise(words):
        if word.start_seconds - before.end_seconds >= SENTENCE_PAUSE_SECONDS:
            yield sentence
            sentence = []
        sentence.append(word)
    yield sentence


def _segment(words: list[MarkedWord]) -> Segment:
    text = " ".join(word.text for word in words)
    # To the millisecond, like the APIs' times.
    start_seconds, end_seconds = round(words[0].start_seconds, 3), round(words[-1].end_seconds, 3)
    return Segment(start_seconds, end_seconds, f"{text[:1].upper()}{text[1:]}.")


def _decode(audio: BinaryIO) -> NDArray[np.float32]:
    """The audio as mono samples at 8 kHz, without the parts that cannot be decoded, as speech models read it."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=_RATE_HZ)
    blocks: list[NDArray[np.float32]] = []
    with av.open(audio, mode="r", metadata_errors="ignore") as container:
        for packet in container.demux(container.streams.audio[0]):
            try:
                frames = packet.decode()
            except FFmpegError:  # most decoders raise InvalidData, AAC's PermissionError
                continue
            for frame in frames:
                frame.pts = None  # gaps in the timestamps are not gaps in the sound
                blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    blocks += [part.to_ndarray()[0] for part in resampler.resample(None)] if blocks else []
    return np.concatenate(blocks).astype(np.float32, copy=False) if blocks else np.zeros(0, np.float32)
