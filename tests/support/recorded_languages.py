"""Recordings of people who talk in many languages: what is said when, and a wave that is loud where it is."""

import random
from array import array

from support.misbehaving_models import LOUD, SAMPLE_RATE_HZ, KnownRecording
from support.spoken_texts import SENTENCES

from transcriber.spans import Segment
from transcriber.text.letters import count_letters

# Of people at ease, with the time between sentences; a cattle auction is faster.
LETTERS_A_SECOND = 14.0


def conversation(language: str, *, minutes: float, pace: float = 1.0, seed: int = 1) -> KnownRecording:
    """Sentences of a language in a random order, each at a pace of its own, 0.15 to 3 s apart, up to the last second.

    `pace` is the speaker's: 1 is at ease, 1.5 as fast as a newsreader is allowed to be.
    """
    dice = random.Random(seed)  # noqa: S311 # a simulation, which has to be the same each time
    sentences: list[Segment] = []
    now = dice.uniform(0, 1)
    while now < minutes * 60:
        text = dice.choice(SENTENCES[language])
        seconds = max(0.25, count_letters(text) / (LETTERS_A_SECOND * pace * dice.uniform(0.75, 1.3)))
        sentences.append(Segment(now, now + seconds, text))
        # Who speaks slowly pauses for longer, too; without its pauses, noise would be no speech.
        now += seconds + dice.choice((0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0, 3.0)) * max(1.0, 1 / pace)
    samples = array("h", bytes(2 * int((sentences[-1].end_seconds + dice.uniform(0, 0.4)) * SAMPLE_RATE_HZ)))
    for each in sentences:
        first, last = int(each.start_seconds * SAMPLE_RATE_HZ), int(each.end_seconds * SAMPLE_RATE_HZ)
        samples[first:last] = array("h", [dice.randint(-LOUD, LOUD) for _ in range(last - first)])
    return KnownRecording(sentences, samples.tobytes())
