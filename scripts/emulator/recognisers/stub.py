"""A stub of a recogniser, for tests that are not about words: its text identifies the bytes that arrived."""

import hashlib
from typing import BinaryIO

from emulator.audio_check import inspect_audio
from emulator.recognisers.base import Recognition, Segment, words_with_spaces

LANGUAGE = "en"
SHOWN_HASH_DIGITS = 12


class StubRecogniser:
    """Returns at once a text with the audio's length, size and hash, as a single segment."""

    def recognise(
        self,
        audio: BinaryIO,
        *,
        language: str | None = None,
        prompt: str | None = None,  # noqa: ARG002 # required by the protocol
        temperature: float = 0.0,  # noqa: ARG002 # required by the protocol
    ) -> Recognition:
        """Return, for example, `stand-in transcript of 11.0 s, 352078 bytes, sha256 1a2b3c4d5e6f`."""
        data = audio.read()
        duration_seconds = inspect_audio(data).duration_seconds
        text = stand_in_text(data, duration_seconds)
        return Recognition(
            text=text,
            segments=(Segment(0.0, duration_seconds, text),),
            language=language or LANGUAGE,
            duration_seconds=duration_seconds,
        )

    def tokens(self, text: str) -> list[str]:
        """A token is a word with the space before it."""
        return words_with_spaces(text)


def stand_in_text(audio: bytes, duration_seconds: float) -> str:
    """The stub's text for `audio`, with which a test checks that exactly these bytes arrived."""
    digest = hashlib.sha256(audio).hexdigest()[:SHOWN_HASH_DIGITS]
    return f"stand-in transcript of {duration_seconds:.1f} s, {len(audio)} bytes, sha256 {digest}"
