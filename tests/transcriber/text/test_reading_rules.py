"""The rules of a language: from what the API says, in whatever spelling, and from the script where it says nothing."""

import pytest

from transcriber.text.reading_rules import reading_rules


@pytest.mark.parametrize(
    ("language", "text", "characters_a_line", "characters_a_second"),
    [
        ("en", "So he came.", 42, 20),
        ("english", "So he came.", 42, 20),
        ("en-US", "So he came.", 42, 20),
        (None, "So he came.", 42, 17),
        ("xx", "So he came.", 42, 17),
        ("german", "So kam er.", 42, 17),
        ("ar", "نعم", 42, 20),
        (None, "نعم", 42, 17),
        ("Hindi", "जी हाँ", 42, 22),
        (None, "ใช่ค่ะ", 35, 17),
    ],
)
def test_letters(language: str | None, text: str, characters_a_line: int, characters_a_second: int) -> None:
    """English and Arabic are read faster, where they are known; lines of Thai are shorter."""
    rules = reading_rules(language, [text])
    assert (rules.line_columns, rules.columns_a_second) == (characters_a_line, characters_a_second)


@pytest.mark.parametrize(
    ("language", "text", "characters_a_line", "characters_a_second"),
    [
        ("zh", "大家好。", 16, 9),
        (None, "大家好。", 16, 9),
        ("en", "大家好。", 16, 9),
        ("zh", "OK", 16, 9),
        (None, "我用 iPhone 拍照", 16, 9),
        ("ja", "東京都", 13, 4),
        ("japanese", "OK", 13, 4),
        (None, "大きな木。", 13, 4),
        ("ko", "네", 16, 12),
        (None, "네, iPhone 있어요", 16, 12),
    ],
)
def test_full_width_characters(
    language: str | None, text: str, characters_a_line: int, characters_a_second: int
) -> None:
    """Chinese, Japanese and Korean are counted in full-width characters, of two columns each."""
    rules = reading_rules(language, [text])
    assert (rules.line_columns / 2, rules.columns_a_second / 2) == (characters_a_line, characters_a_second)


def test_one_foreign_name_changes_nothing() -> None:
    """A text in Latin letters that cites two Chinese characters keeps the rules of its language."""
    assert reading_rules("en", ["The sign said 北京 and nothing else, as far as we could see."]).line_columns == 42


@pytest.mark.parametrize(
    ("language", "text", "columns"),
    [
        ("en", "naïve", 5),
        ("en", "e\u0301", 1),
        ("en", "👩", 2),
        ("zh", "“好”", 6),
        ("en", "“ok”", 4),
        ("hi", "हिंदी", 5),
        ("th", "กี่", 1),
    ],
)
def test_columns(language: str, text: str, columns: int) -> None:
    """Marks take no column, but in Indic scripts; quotes are wide in Chinese alone."""
    assert reading_rules(language, [text]).columns(text) == columns
