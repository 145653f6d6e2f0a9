"""Options: types, ranges and spellings."""

import pytest

from transcriber.errors import RequestError
from transcriber.request.options import OPTIONS, read_option


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("language", "fr", "fr"),
        ("language", "fr-FR", "fr"),
        ("language", "PT_br", "pt"),
        ("temperature", 0, 0.0),
        ("temperature", "0.2", 0.2),
        ("top_p", 1, 1.0),
        ("max_tokens", "2048", 2048),
        ("max_tokens", 100.0, 100),
        ("response_format", "TEXT", "text"),
        ("timestamp_granularities", ["segment"], ("segment",)),
        ("timestamp_granularities[]", "segment", ("segment",)),
        ("model", " whisper-large-v3 ", "whisper-large-v3"),
    ],
)
def test_spellings(name: str, value: object, read: object) -> None:
    """Each option is read from JSON's types and from the text of a query string."""
    assert read_option(name, value, OPTIONS[name][1]) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "english"),
        ("language", 1),
        ("language", "fr" + "-abcdefgh" * 5),
        ("language", ""),
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", "nan"),
        ("temperature", True),
        ("temperature", []),
        ("temperature", 10**400),
        ("top_p", 0),
        ("top_p", 1.1),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", 16_385),
        ("response_format", "xml"),
        ("response_format", None),
        ("timestamp_granularities", ["word"]),
        ("timestamp_granularities", {}),
        ("model", "x" * 300),
        ("model", "a\nb"),
        ("prompt", "\ud800"),
        ("prompt", "x" * 9_000),
    ],
)
def test_refusals_name_the_option(name: str, value: object) -> None:
    """What an option does not take is an error that names it."""
    with pytest.raises(RequestError) as caught:
        read_option(name, value, OPTIONS[name][1])
    assert caught.value.param == name
    assert caught.value.message.startswith(name)
    assert len(caught.value.message) < 200
