"""Redaction: text from outside is shown short, on one line, and without secrets."""

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


@given(st.text())
def test_is_short_and_on_one_line(text: str) -> None:
    """Whatever comes in, what goes out is one line of bounded length."""
    shown = redact(text)
    assert len(shown) <= MAX_TEXT_LENGTH
    assert "\n" not in shown
    assert "\r" not in shown
