"""What every recogniser of the emulator is: audio in, words with their times out, and the tokens of a text."""

import re
from dataclasses import dataclass
from typing import BinaryIO, Protocol


class UnsupportedLanguageError(Exception):
    """The model does not know the language that was asked for."""


@dataclass(frozen=True)
class Segment:
    """A stretch of speech and its words; times in seconds from the audio's start."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Recognition:
    """What was heard: the whole text, its segments in order, the language's code and the audio's length."""

    text: str
    segments: tuple[Segment, ...]
    language: str
    duration_seconds: float


class Recogniser(Protocol):
    """Something that listens to WAV or MP3 and counts as a language model does."""

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """The words of `audio`; `prompt` is vocabulary and style, `language` an ISO 639 code (detected if `None`)."""

    def tokens(self, text: str) -> list[str]:
        """The pieces that a language model would write `text` in; joined, they are `text`."""


def words_with_spaces(text: str) -> list[str]:
    """`text` in tokens for recognisers that have no model: a word and the space before it are one."""
    return re.findall(r"\s*\S+|\s+$", text)
