"""Tests of the stub recogniser."""

import hashlib
import io

from support.recordings import recording

from emulator.recognisers.stub import StubRecogniser


def test_text_identifies_the_audio() -> None:
    """The text begins with `stand-in`, and has the length, size and hash of exactly the received audio."""
    audio = recording("jfk.wav")
    digest = hashlib.sha256(audio).hexdigest()[:12]
    recognition = StubRecogniser().recognise(io.BytesIO(audio))
    assert recognition.text == f"stand-in transcript of 11.0 s, 352078 bytes, sha256 {digest}"


def test_one_segment_holds_the_whole() -> None:
    """The one segment has the whole text, from the start to the end of the audio."""
    recognition = StubRecogniser().recognise(io.BytesIO(recording("jfk.wav")), language="fr")
    (segment,) = recognition.segments
    assert (segment.start_seconds, segment.end_seconds, segment.text) == (0.0, 11.0, recognition.text)
    assert recognition.language == "fr"


def test_tokens_join_to_the_text() -> None:
    """Tokens, joined, are the text, spaces at both ends included."""
    assert StubRecogniser().tokens("  two words ") == ["  two", " words", " "]
