"""Hours of speech whose words and times are known, as levels instead of sound; `tests/audio/README.md` says whose.

Completeness and times are decided by loudness alone, so that a twentieth of a second needs one number, and six hours
fit into a megabyte.
"""

import json
import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from transcriber.audio.containers import Container
from transcriber.audio.loudness import Loudness
from transcriber.chunks.chunk import BytesPayload, Chunk
from transcriber.spans import Segment, Span

FOLDER = Path(__file__).parents[1] / "audio" / "levels"
# A level of -96 dB is a space, and so on: one character each.
QUIETEST, FIRST_CHARACTER = -96, 32
SPACELESS = frozenset({"zh"})
# What a model's times are off by, and the pauses that it counts as a part of the segment before.
TIME_DEVIATION_SECONDS = 0.2
SWALLOWED_PAUSE_SECONDS = 1.0

# A phrase: words between two pauses, with times from the first byte of the part.
Sentence = tuple[Segment, ...]


@dataclass(frozen=True)
class Part:
    """A chunk of a recording, which has a loudness and no sound, with its sentences."""

    chunk: Chunk
    sentences: Sequence[Sentence]
    space: str

    @property
    def text(self) -> str:
        return self.text_of(self.sentences)

    def text_of(self, sentences: Sequence[Sentence]) -> str:
        return self.space.join(phrase.text for sentence in sentences for phrase in sentence)

    def without(self, start: float, end: float) -> list[Sentence]:
        """The sentences but those whose middle is between two times."""
        return [
            sentence
            for sentence in self.sentences
            if not start <= (sentence[0].start_seconds + sentence[-1].end_seconds) / 2 < end
        ]

    def words(self) -> Iterator[tuple[int, Segment]]:
        """Each word with the number of its sentence; within a phrase, words last as long as their letters."""
        for number, sentence in enumerate(self.sentences):
            for phrase in sentence:
                words = phrase.text.split() if self.space else list(phrase.text)
                seconds = (phrase.end_seconds - phrase.start_seconds) / sum(len(word) + 1 for word in words)
                now = phrase.start_seconds
                for word in words:
                    yield number, Segment(now, now + seconds * (len(word) + 1), word)
                    now += seconds * (len(word) + 1)

    def segments(
        self, dice: random.Random, *, lost: tuple[float, float] = (0.0, 0.0), is_stretched: bool = False
    ) -> tuple[Segment, ...]:
        """A model's segments, a sentence each, without the words in the `lost` time, and with inexact times.

        Where `is_stretched`, the segment before the lost words lasts until the next one, as some models have it.
        """
        first, last = lost
        groups: list[list[Segment]] = []
        before = -1
        for number, word in self.words():
            if first <= (word.start_seconds + word.end_seconds) / 2 < last:
                continue
            is_after = bool(groups) and first < last <= word.start_seconds and groups[-1][-1].start_seconds < first
            if number != before or is_after:
                groups.append([])
            groups[-1].append(word)
            before = number
        segments: list[Segment] = []
        for group, following in zip(groups, [*groups[1:], None], strict=True):
            start = max(0.0, group[0].start_seconds + dice.gauss(0, TIME_DEVIATION_SECONDS))
            start = max(start, segments[-1].end_seconds) if segments else start
            end = group[-1].end_seconds + dice.gauss(0, TIME_DEVIATION_SECONDS)
            if following is not None:
                next_start = following[0].start_seconds
                is_before_loss = is_stretched and end - 1 <= last and group[-1].start_seconds < first <= next_start
                if is_before_loss or next_start - end < SWALLOWED_PAUSE_SECONDS:
                    end = next_start
            segments.append(Segment(start, max(start, end), self.space.join(word.text for word in group)))
        return tuple(segments)


@dataclass(frozen=True)
class KnownSpeech:
    """A recording: its levels, and its sentences with the times of their phrases."""

    name: str
    language: str
    kind: str
    loudness: Loudness = field(repr=False)
    sentences: Sequence[Sentence] = field(repr=False)

    def parts(self, minutes: float) -> list[Part]:
        """About equal parts, cut in the pauses between sentences that are nearest."""
        window = self.loudness.window_seconds
        total = len(self.loudness.decibels) * window
        count = max(1, round(total / 60 / minutes))
        pauses = [(before[-1].end_seconds + after[0].start_seconds) / 2 for before, after in pairwise(self.sentences)]
        cuts = [0.0, *(min(pauses, key=lambda pause: abs(pause - total * n / count)) for n in range(1, count)), total]
        return [self._part(int(start / window), int(end / window)) for start, end in pairwise(cuts)]

    def _part(self, first: int, last: int) -> Part:
        window = self.loudness.window_seconds
        start, end = first * window, last * window
        measured = Loudness(self.loudness.decibels[first:last], window)
        chunk = Chunk(Span(start, end), Container.WAV, BytesPayload([b""]), None, measured=measured)
        sentences = [
            tuple(Segment(each.start_seconds - start, each.end_seconds - start, each.text) for each in sentence)
            for sentence in self.sentences
            if start <= (sentence[0].start_seconds + sentence[-1].end_seconds) / 2 < end
        ]
        return Part(chunk, sentences, "" if self.language in SPACELESS else " ")


@cache
def known_speech(name: str) -> KnownSpeech:
    """The recording of that name."""
    fields = json.loads(lzma.decompress((FOLDER / f"{name}.json.xz").read_bytes()))
    levels = [ord(character) - FIRST_CHARACTER + QUIETEST for character in fields["levels"]]
    sentences = [tuple(Segment(*phrase) for phrase in sentence) for sentence in fields["sentences"]]
    return KnownSpeech(name, fields["language"], fields["kind"], Loudness(levels, fields["window_seconds"]), sentences)


def names(kind: str = "speech") -> list[str]:
    """The recordings of a kind: its name begins theirs, but for those of ordinary speech."""
    kinds = ("slow", "numbers", "music", "singing")
    found = sorted(path.name.removesuffix(".json.xz") for path in FOLDER.glob("*.json.xz"))
    return [name for name in found if (name.startswith(kind) if kind in kinds else not name.startswith(kinds))]
