"""The interface of every recogniser: audio in, words with their times out, and the tokens of a text."""

import re
from dataclasses import dataclass
from typing import BinaryIO, Protocol


class UnsupportedLanguageError(Exception):
    """The model does not support the requested language."""


@dataclass(frozen=True)
class Segment:
    """A span of speech and its words; times in seconds from the audio's start."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Recognition:
    """The result: the whole text, its segments in order, the language's code and the audio's length."""

    text: str
    segments: tuple[Segment, ...]
    language: str
    duration_seconds: float


class Recogniser(Protocol):
    """Recognises speech in WAV or MP3, and counts tokens as a language model does."""

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """Transcribe `audio`; `prompt` is vocabulary and style, `language` an ISO 639 code (`None`: detected)."""

    def tokens(self, text: str) -> list[str]:
        """Split `text` into tokens; joined, they are `text`."""


def words_with_spaces(text: str) -> list[str]:
    """The tokens of recognisers without a model: each is a word with the space before it."""
    return re.findall(r"\s*\S+|\s+$", text)
