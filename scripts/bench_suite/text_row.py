"""A row that measures how the time of a text grows with its length: cleaning, times, subtitles and every format.

Texts that no speaker says are what takes the time of the square of their length where a pattern looks back; so each
shape is measured with a length, and with four times that length.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench_suite.lines import CPU, Line, Metric, Target
from bench_suite.work import Contender

GROWTH: Final = Metric("4x the text", "x time", 2)
# Four times the text, and a quarter for what depends on the machine.
PROPORTIONAL: Final = Target(5.0, "unit")
# The longest answer for five minutes of sound that is taken for a transcript; the other is a quarter, of a quarter.
LONG_CHARACTERS: Final = 30_000
CHARACTERS_A_SECOND: Final = 100
SHARE: Final = 4
PHRASE_SECONDS: Final = 5
# Of these, the fastest counts: what else the machine does only adds to it.
REPETITIONS: Final = 3

SHAPES: Final[Mapping[str, str]] = {
    "speech": "So he came, sat down, and said nothing. Nobody asked him why. ",
    "dots": ".",
    "thai": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
    "vowels": "\u0e30",
    "chinese": "\u6211\u4eec\u4eca\u5929\u53bb\u5317\u4eac\uff0c",
    "marks": "\u0301",
    "word": "a",
    "stamps": "[00:01] So he came.\n",
    "braces": '{"text":',
    "sentences": "No. ",
}


@dataclass(frozen=True, kw_only=True)
class TextRow:
    """One pair of texts a sample."""

    name: str
    shape: str
    rounds: int
    quick_rounds: int
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        unit = SHAPES[self.shape]
        short, long = ((unit * size)[:size] for size in (LONG_CHARACTERS // SHARE, LONG_CHARACTERS))
        _cpu_seconds(short)  # what is compiled once
        pairs = [
            tuple(min(_cpu_seconds(text) for _ in range(REPETITIONS)) for text in (short, long)) for _ in range(rounds)
        ]
        growth = tuple(of_long / of_short for of_short, of_long in pairs)
        return (
            Line(self.name, CPU, {Contender.OURS: tuple(of_long for _, of_long in pairs)}),
            Line(self.name, GROWTH, {Contender.OURS: growth}, target=PROPORTIONAL),
        )


def _cpu_seconds(text: str) -> float:
    """CPU seconds from a model's answer to all formats."""
    # Imported here: the rows that measure a start count what is imported.
    from transcriber.api.chat import INSTRUCTION  # noqa: PLC0415
    from transcriber.outputs.formats import FORMATS  # noqa: PLC0415
    from transcriber.spans import Span  # noqa: PLC0415
    from transcriber.text.alignment import align  # noqa: PLC0415
    from transcriber.text.model_additions import clean_answer  # noqa: PLC0415
    from transcriber.transcription.transcript import Transcript  # noqa: PLC0415

    seconds = len(text) // CHARACTERS_A_SECOND
    phrases = [Span(start, start + PHRASE_SECONDS - 0.5) for start in range(0, seconds, PHRASE_SECONDS)]
    started = time.process_time()
    clean = clean_answer(text, INSTRUCTION).text
    segments = tuple(align(clean, phrases, max_seconds=seconds))
    transcript = Transcript(clean, "model", seconds, segments=segments)
    for output in FORMATS.values():
        output.render(transcript)
    return time.process_time() - started
