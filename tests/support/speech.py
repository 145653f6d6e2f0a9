"""A speaker who is known to the word: sentences at a pace of their own, with pauses inside and between them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from transcriber.spans import Segment, Span

_VOWELS, _CONSONANTS = "aeiou", "bcdfghklmnprstvw"


@dataclass(frozen=True)
class Speech:
    """The spoken sentences with their times, and the spans of sound."""

    sentences: Sequence[Segment]
    spans: Sequence[Span]

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def end_seconds(self) -> float:
        return self.spans[-1].end_seconds


def speak(seed: int, *, sentences: int = 40, hesitation: float = 0.0) -> Speech:
    """Sentences of 3 to 11 s of sound, each up to 30 % faster or slower, 0.4 to 2 s apart.

    Half of the commas are pauses of 0.3 to 0.8 s, and so is each other word with the probability `hesitation`. A word
    lasts as long as its letters, give or take a fifth.
    """
    chance = random.Random(seed)  # noqa: S311 # a simulation, which has to be the same each time
    spoken: list[Segment] = []
    spans: list[Span] = []
    now = chance.uniform(0, 2)
    for _ in range(sentences):
        pace = chance.uniform(0.7, 1.3) / 14  # seconds a letter
        sentence_start = span_start = now
        words: list[str] = []
        wanted_seconds, sound_seconds = chance.uniform(3, 11), 0.0
        while sound_seconds < wanted_seconds:
            word = _word(chance)
            seconds = (len(word) + 1) * pace * chance.uniform(0.8, 1.2)
            sound_seconds += seconds
            now += seconds
            is_clause_end = 1.5 < sound_seconds < wanted_seconds - 1.5 and chance.random() < 0.1
            pauses = chance.random() < (0.5 if is_clause_end else hesitation)
            words.append(f"{word}," if is_clause_end else word)
            if pauses and sound_seconds < wanted_seconds:
                spans.append(Span(span_start, now))
                now = span_start = now + chance.uniform(0.3, 0.8)
        spans.append(Span(span_start, now))
        spoken.append(Segment(sentence_start, now, " ".join(words).capitalize() + chance.choice("...?!")))
        now += chance.uniform(0.4, 2)
    return Speech(spoken, spans)


def _word(chance: random.Random) -> str:
    return "".join(
        chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.choice((1, 1, 2, 2, 3, 4)))
    )
