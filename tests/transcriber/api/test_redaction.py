"""Redaction: text from outside is shown short, on one line, and without secrets."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.api.redaction import MAX_TEXT_LENGTH, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wrong key 11111111-2222-3333-4444-555555555555", "wrong key […]"),
        ("data UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA= is wrong", "data […] is wrong"),
        ("two\r\nlines\x1b[31m", "two lines [31m"),
        ("upstream 10.1.2.3:8000 failed", "upstream […]:8000 failed"),
        ("upstream fd00:42::42 failed", "upstream […] failed"),
        ("upstream 10.0.0.7.", "upstream […]."),
        ("see http://vllm.internal.svc:8000/v1 and", "see […] and"),
        ("see 8.8.8.8", "see 8.8.8.8"),
        ("upstream vllm-7f.svc.cluster.local failed", "upstream […] failed"),
        ("upstream vllm-7f.svc:8000 failed", "upstream […]:8000 failed"),
        ("connect to vllm-7f:8000 failed", "connect to […]:8000 failed"),
        ("pod vllm-7f9c4d5b6e-x2k8z is gone", "pod […] is gone"),
        ("Pool(host='engine', port=8000)", "Pool(host=[…], port=8000)"),
        ("localhost is down, and ip-10-0-3-7.eu.compute.internal", "[…] is down, and […]"),
        ("in /opt/app/x.py, and C:\\app\\x.py", "in […], and […]"),
        ('File "/opt/app/x.py", line 3, in run', "[…]"),
        ("no Traceback (most recent call last):\n  File x\nValueError: y", "no […]"),
        ("error in engine.py:31 now", "error in […] now"),
        ("no route POST /v1/audio/transcriptions", "no route POST /v1/audio/transcriptions"),
        (
            "whisper-large-v3 and voxtral-small-24b-2507: wav/mp3",
            "whisper-large-v3 and voxtral-small-24b-2507: wav/mp3",
        ),
        ("at 12:30:45, version 1.2.3", "at 12:30:45, version 1.2.3"),
    ],
)
def test_hides_what_nobody_should_read(text: str, shown: str) -> None:
    """Secrets, payloads, control characters and internal addresses are replaced, and nothing else is."""
    assert redact(text, secrets=["11111111-2222-3333-4444-555555555555"]) == shown


def test_long_text_is_not_looked_at_to_its_end() -> None:
    """Megabytes of what takes a pattern long are shown like any other text, and without a secret cut in half."""
    secret = "s3cr3t" * 3
    shown = redact("::1 " * 1_000_000 + secret, secrets=[secret])
    assert len(shown) <= MAX_TEXT_LENGTH
    assert "s3cr3t" not in redact("a " * 2_045 + secret, secrets=[secret])


@pytest.mark.parametrize("secret", ["s3cr3t-k", "pass?wor", "11111111-2222-3333-4444-555555555555"])
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xyz"])
def test_encoded_secret_is_hidden(secret: str, before: str, after: str) -> None:
    """A secret in base64, at each alignment, of either alphabet and without padding, and percent-encoded, is hidden."""
    data = (before + secret + after).encode()
    for encoded in (
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        "".join(f"%{byte:02X}" for byte in data),
        "".join(f"%{byte:02x}" for byte in data),
        quote(data, safe=""),
        data.hex(),
    ):
        shown = redact(f"got {encoded} here", secrets=[secret])
        left = shown.removeprefix("got ").removesuffix(" here")
        assert "[…]" in left
        # Of the secret, no more is left than parts of the characters at its ends.
        around = len(encoded) * (len(before) + len(after)) / len(data)
        assert len(left) - len("[…]") <= around + 4


@given(st.text())
def test_is_short_and_on_one_line(text: str) -> None:
    """Whatever comes in, what goes out is one line of bounded length."""
    shown = redact(text)
    assert len(shown) <= MAX_TEXT_LENGTH
    assert "\n" not in shown
    assert "\r" not in shown
