"""Slows a fast recogniser down: an answer takes the audio's length times a factor."""

import time
from typing import BinaryIO

from emulator.recognisers.base import Recogniser, Recognition


class PacedRecogniser:
    """A recogniser that answers like `recogniser`, after the audio's length times `real_time_factor` at the earliest.

    Parallel requests do not slow each other down, as at an API with enough machines. The recogniser's own time counts.
    """

    def __init__(self, recogniser: Recogniser, real_time_factor: float) -> None:
        self._recogniser = recogniser
        self._real_time_factor = real_time_factor

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """Transcribe `audio`, and return when the time is over."""
        started = time.monotonic()
        recognition = self._recogniser.recognise(audio, language=language, prompt=prompt, temperature=temperature)
        due = started + recognition.duration_seconds * self._real_time_factor
        time.sleep(max(0.0, due - time.monotonic()))
        return recognition

    def tokens(self, text: str) -> list[str]:
        """The recogniser's tokens, at once."""
        return self._recogniser.tokens(text)
