"""Tests of the stand-in recogniser."""

import hashlib
import io

from support.recordings import recording

from emulator.recognisers.stub import StubRecogniser


def test_text_says_what_it_is_and_which_bytes_came() -> None:
    """The text names itself a stand-in, and gives length, size and hash of exactly the audio that came."""
    audio = recording("jfk.wav")
    digest = hashlib.sha256(audio).hexdigest()[:12]
    heard = StubRecogniser().recognise(io.BytesIO(audio))
    assert heard.text == f"stand-in transcript of 11.0 s, 352078 bytes, sha256 {digest}"


def test_one_segment_holds_the_whole() -> None:
    """There is one segment, from the start to the end."""
    heard = StubRecogniser().recognise(io.BytesIO(recording("jfk.wav")), language="fr")
    (segment,) = heard.segments
    assert (segment.start_seconds, segment.end_seconds, segment.text) == (0.0, 11.0, heard.text)
    assert heard.language == "fr"


def test_tokens_join_to_the_text() -> None:
    """Tokens, joined, are the text, spaces at both ends included."""
    assert StubRecogniser().tokens("  two words ") == ["  two", " words", " "]
