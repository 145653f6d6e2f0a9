"""Base64 text: every usual spelling is understood, and the rest is refused with its reason."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.errors import RequestError
from transcriber.request.base64_text import read_base64

AUDIO = bytes(range(256)) * 3 + b"\xfb\xff"
TEXT = base64.b64encode(AUDIO).decode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.rstrip("="),
        base64.urlsafe_b64encode(AUDIO).decode(),
        base64.encodebytes(AUDIO).decode(),
        TEXT.replace("A", "A\r\n"),
        f"  {TEXT}\n",
        f"data:audio/mpeg;base64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"DATA:audio/wav;codecs=1;BASE64,{TEXT}",
    ],
    ids=["standard", "unpadded", "url-safe", "lines", "crlf", "margins", "data-url", "data-url-bare", "data-url-upper"],
)
def test_spellings(text: str) -> None:
    """Each spelling of base64 decodes to the same bytes, whose number is known without decoding."""
    encoded = read_base64(text, param="audio")
    assert encoded.decode(0, len(AUDIO)) == AUDIO
    assert encoded.size_bytes == len(AUDIO)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("AAAA BBBB", "a space"),
        ("AAA=AAAA", "after its padding"),
        ("AAAA*BBB", "not base64"),
        ("AAAA\ufffdBB", "not base64"),
        ("AAAAA", "cut off"),
        ("data:audio/wav,abc", "without ;base64"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    """What is no base64 is refused with the reason and the field."""
    with pytest.raises(RequestError, match=reason) as caught:
        read_base64(text, param="audio")
    assert caught.value.param == "audio"
    assert "AAA" not in caught.value.message


@given(st.binary(max_size=200), st.integers(0, 66), st.integers(0, 200))
def test_any_span_decodes(audio: bytes, start: int, length: int) -> None:
    """A span that begins at a multiple of 3 decodes to the same bytes as the whole."""
    encoded = read_base64(base64.b64encode(audio).decode(), param=None)
    end = start * 3 + length // 3 * 3
    assert encoded.decode(start * 3, end) == audio[start * 3 : end]
