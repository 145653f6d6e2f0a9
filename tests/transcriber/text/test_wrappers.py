"""Documents around a transcript: what says that it is a transcript is opened, and everything else stays."""
# marks of many scripts are what this is about

import json
from typing import Any

import pytest

from transcriber.text.wrappers import looks_wrapped, unwrap

WORDS = "So he came. And left."
TWO = [{"start": 0.0, "end": 1.5, "text": " So he came."}, {"start": 1.5, "end": 3.0, "text": " And left."}]


@pytest.mark.parametrize(
    "value",
    [
        {"text": WORDS},
        {"Text": WORDS},
        {"transcript": WORDS, "language": "en", "confidence": 0.98},
        {"transcription": {"text": WORDS}},
        {"result": {"transcription": {"text": WORDS, "segments": TWO}}},
        {"segments": TWO},
        {"text": "", "segments": []} | {"transcript": WORDS},
        TWO,
        [{"text": WORDS}],
        ["So he came.", "And left."],
        {"results": {"transcripts": [{"transcript": WORDS}]}},
        {"results": [{"alternatives": [{"transcript": WORDS}]}]},
        {"language": "en", "utterances": [{"speaker": 1, "text": "So he came."}, {"speaker": 2, "text": "And left."}]},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_is_opened(value: Any, indent: int | None) -> None:
    """Texts by the usual names, nested, in lists of segments, whatever else stands beside them."""
    assert unwrap(json.dumps(value, indent=indent)) == WORDS


@pytest.mark.parametrize("value", [{"text": ""}, {"text": None}, [], {"segments": []}])
def test_json_without_words_is_nothing(value: Any) -> None:
    """A document that holds no words is an empty text, not its own braces."""
    assert unwrap(json.dumps(value)) in {"", json.dumps(value)}
    assert unwrap('{"segments": []}') == ""


def test_line_breaks_within_a_string_of_json() -> None:
    """A model's JSON has line breaks where JSON has none, and is opened all the same."""
    assert unwrap('{"text": "So he came.\nAnd left."}') == "So he came.\nAnd left."


def test_chinese_pieces_have_no_space_between_them() -> None:
    """Segments are joined as their script is written."""
    assert unwrap(json.dumps([{"text": "大家好。"}, {"text": "我叫李明。"}])) == "大家好。我叫李明。"


@pytest.mark.parametrize(
    "document",
    [
        "<transcript>So he came. And left.</transcript>",
        "<Transcription>\nSo he came. And left.\n</Transcription>",
        (
            '<?xml version="1.0"?>\n<transcript lang="en"><segment start="0" end="1">So he came.</segment> '
            "<segment>And left.</segment></transcript>"
        ),
        (
            "<transcript><segment><start>0.0</start><speaker>1</speaker><text>So he came.</text></segment><segment>"
            "<text>And left.</text></segment></transcript>"
        ),
        "<text>So he came. And left.</text>",
        "<think>They want the words. <b>I</b> hear two sentences.</think>\n\nSo he came. And left.",
        "<think>hm</think><transcript>So he came. And left.</transcript>",
    ],
)
def test_xml_is_opened(document: str) -> None:
    """Elements of the usual names, with tags within, and what a model thinks before it answers."""
    assert unwrap(document) == WORDS


def test_entities_are_characters() -> None:
    """What XML escapes is what was said."""
    assert unwrap("<transcript>R&amp;D &lt; sales</transcript>") == "R&D < sales"


@pytest.mark.parametrize(
    "said",
    [
        "",
        WORDS,
        "[Music] So he came.",
        "[] and {} are brackets.",
        "{So he came}",
        '{"key": 5}',
        '{"name": "Ada", "age": 36}',
        '["So he came.", 5]',
        '{"text": "So he came.',
        '{"text": "So he came."} And left.',
        "<transcript>So he came.",
        "<b>So</b> he came.",
        "<name>Ada</name>",
        "He said <transcript> and </transcript>.",
        "<think>He never stopped.",
        "5",
        '"So he came."',
        "null",
    ],
)
def test_everything_else_stays(said: str) -> None:
    """What is no such document, or not all of the answer, stays as it is."""
    assert unwrap(said) == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"text": "So he came.', True),
        ('{"name": "Ada", "age": 36}', True),
        ('[{"x": 1', True),
        ("<transcript>So he came.", True),
        ("```\nSo he came.", True),
        ("[Music] So he came.", False),
        ("{So} he came", False),
        ("5 < 7 and 7 > 5", False),
        ("", False),
    ],
)
def test_what_looks_like_a_document(text: str, expected: bool) -> None:  # noqa: FBT001
    """The beginning of a document, or one that says nothing of a transcript, is a doubt; a bracket is none."""
    assert looks_wrapped(text) is expected


@pytest.mark.parametrize(
    "run", ["[", "{", '{"text":', "<p>", "<transcript>", "<think>", "<", '"', "&amp;", "[{", "</p>", "<start>"]
)
@pytest.mark.parametrize("around", ["{}", "<transcript>{}</transcript>", '{{"text": "{}'])
def test_runs_are_read_in_linear_time(run: str, around: str) -> None:
    """A megabyte of what documents begin with is read at once; the test's time limit is the measure."""
    text = around.format(run * (1_000_000 // len(run)))
    unwrap(text)
    looks_wrapped(text)
