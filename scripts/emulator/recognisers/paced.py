"""Slows a fast recogniser down: an answer comes after the audio's length times a factor."""

import time
from typing import BinaryIO

from emulator.recognisers.base import Recogniser, Recognition


class PacedRecogniser:
    """Like `recogniser`, but never faster than the audio's length times `real_time_factor`.

    Parallel requests do not slow each other, as at an API with enough machines; the recogniser's own time counts.
    """

    def __init__(self, recogniser: Recogniser, real_time_factor: float) -> None:
        self._recogniser = recogniser
        self._real_time_factor = real_time_factor

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """The recogniser's words, in due time."""
        started = time.monotonic()
        heard = self._recogniser.recognise(audio, language=language, prompt=prompt, temperature=temperature)
        due = started + heard.duration_seconds * self._real_time_factor
        time.sleep(max(0.0, due - time.monotonic()))
        return heard

    def tokens(self, text: str) -> list[str]:
        """The recogniser's tokens, at once."""
        return self._recogniser.tokens(text)
