"""Takes out of a model's answer what is certain to be its own, and names what may be.

What a speaker may have said stays: then the answer is in doubt, and a warning says so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from transcriber.spans import Span
from transcriber.text.frames import has_labels, has_stamps, strip_frames
from transcriber.text.model_remarks import is_no_speech_remark, may_be_remark, strip_model_remarks
from transcriber.text.wrappers import looks_wrapped, unwrap

# A document in a fence under an opening, and quotes within: no model nests more.
MAX_ROUNDS = 4
# A shorter sentence of an instruction may be said by somebody: "Transcribe this."
MIN_ECHO_WORDS = 6

LABELS: Final = "labels of speakers"
STAMPS: Final = "stamps of time"
DOCUMENT: Final = "a document around the words"
REMARK: Final = "a remark about the transcript"
PROMPT: Final = "the prompt"

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class CleanText:
    """A model's answer without its additions; `doubts` are what may be further ones, in the words of a warning."""

    text: str
    doubts: tuple[str, ...] = ()


def doubt_warnings(clean: CleanText, span: Span) -> tuple[str, ...]:
    """The warning of what stays in the text of `span`, and may be the model's; none where nothing is in doubt."""
    if not clean.doubts:
        return ()
    kept = ", ".join(clean.doubts)
    return (f"{span.clock_times} the text may hold what the model added to the words, and it was kept: {kept}.",)


def clean_answer(text: str, instruction: str) -> CleanText:
    """The answer of a chat model that was instructed to write the words alone; "" where it says that there are none."""
    text = text.strip()
    for _ in range(MAX_ROUNDS):
        if is_no_speech_remark(text):
            return CleanText("")
        before = text
        text = unwrap(strip_model_remarks(_without_echo(unwrap(text), instruction)) if text else "")
        if text == before:
            break
    text = strip_frames(text)
    return CleanText(text, tuple(_doubts(text)))


def clean_transcription(text: str, prompt: str | None = None) -> CleanText:
    """The text of a model that only transcribes: what it says of transcripts is what it was played.

    The words of the `prompt` that it was sent are those to expect, so that a speaker may say them, too: they stay.
    """
    text = strip_frames(unwrap(text))
    doubts = tuple(_doubts(text))
    return CleanText(text, (*doubts, PROMPT) if prompt and _echoes_prompt(text, prompt) else doubts)


def _doubts(text: str) -> Iterator[str]:
    if has_stamps(text):
        yield STAMPS
    if has_labels(text):
        yield LABELS
    if looks_wrapped(text):
        yield DOCUMENT
    if may_be_remark(text):
        yield REMARK


def _echoes_prompt(text: str, prompt: str) -> bool:
    """Whether the text begins or ends with all words of the prompt, and these are more than one says by chance."""
    expected, said = (_WORD.findall(each.casefold()) for each in (prompt, text))
    count = len(expected)
    return count >= MIN_ECHO_WORDS and expected in (said[:count], said[-count:])


def _without_echo(text: str, instruction: str) -> str:
    """`text` without the sentences of the instruction at its beginning and its end."""
    first, last = _echoes(instruction)
    if first is None or last is None:
        return text
    while match := first.match(text):
        text = text[match.end() :].strip()
    while match := last.search(text, max(0, len(text) - 2 * len(instruction) - 100)):
        text = text[: match.start()].strip()
    return text


@cache
def _echoes(instruction: str) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """What finds a sentence of the instruction, or all of it, at the beginning and the end of a text."""
    sentences = [sentence.split() for sentence in re.split(r"(?<=[.!?])\s+", instruction.strip())]
    known = [words for words in (instruction.split(), *sentences) if len(words) >= MIN_ECHO_WORDS]
    if not known:
        return None, None
    # White space may be other than it was, and quotes or marks may stand around it.
    either = "|".join(r"\s+".join(map(re.escape, words)) for words in known)
    around = r"[\s\"“”'*_>#:-]{0,12}"
    return (
        re.compile(rf"{around}(?:{either}){around}", re.IGNORECASE),
        re.compile(rf"{around}(?:{either}){around}\Z", re.IGNORECASE),
    )
