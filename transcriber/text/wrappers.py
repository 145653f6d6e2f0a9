"""Takes a transcript out of the JSON or XML that a model puts it into.

Only where the whole answer is such a document, and its names say what the transcript is: everything else stays.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from transcriber.text.joining import join_texts

# The names of a transcript, the surest first; an object may hold several of them.
_TEXT_NAMES: Final = (
    "transcript",
    "transcription",
    "transcribed_text",
    "transcriptions",
    "transcripts",
    "text",
    "content",
    "segments",
    "utterances",
    "sentences",
    "lines",
    "words_spoken",
    "utterance",
    "sentence",
    "line",
    "output",
    "result",
    "results",
    "response",
    "answer",
    "data",
    "message",
    "alternatives",
)
MAX_DEPTH = 8

_NAMES = "|".join(_TEXT_NAMES)
_OUTER = re.compile(rf"<(?P<name>{_NAMES}|speech|audio|root|document|body|p|div)(?:\s[^<>]{{0,200}})?>", re.IGNORECASE)
_PROLOGUE = re.compile(r"(?:<\?xml[^<>]{0,200}\?>|<!doctype[^<>]{0,200}>)\s*", re.IGNORECASE)
# Of a transcript's pieces, tags go, and with some of them their content.
_INNER = re.compile(
    r"</?(?:segment|seg|p|s|u|utterance|sentence|line|text|span|turn|div|br|paragraph|w|word|speech|content|body)"
    r"(?:\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"<(?P<fact>time|timestamp|start|end|id|speaker|language|lang|confidence|title|duration)(?:\s[^<>]{0,200})?>"
    r"[^<>]{0,100}</(?P=fact)\s*>",
    re.IGNORECASE,
)
_THOUGHTS = re.compile(r"<(?P<tag>think|thinking|reasoning|reflection)>", re.IGNORECASE)
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")


def unwrap(text: str) -> str:
    """`text` without the document around it, stripped; the same text where there is none."""
    text = without_thoughts(text.strip())
    if text[:1] in {"{", "["}:
        return _from_json(text)
    if text.startswith("<"):
        return _from_xml(text)
    return text


def without_thoughts(text: str) -> str:
    """`text` without what a reasoning model writes before its answer."""
    opening = _THOUGHTS.match(text)
    if opening is None:
        return text
    closing = f"</{opening['tag']}>"
    end = text.lower().find(closing.lower(), opening.end())
    return text if end < 0 else text[end + len(closing) :].strip()


def looks_wrapped(text: str) -> bool:
    """Whether a document seems to be left around `text`, or the beginning of one."""
    if text.startswith("```") or _ANY_TAG.match(text):
        return True
    return text[:1] in {"{", "["} and bool(re.match(r"[\[{\s]{1,20}\"[^\"\n]{1,60}\"\s{0,9}:", text))


def _from_json(text: str) -> str:
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text
    try:
        return join_texts(_pieces(value, MAX_DEPTH))
    except LookupError:
        return text


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """The texts in a value of JSON; `LookupError` for a value that does not say which they are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth and _is_list_of_texts(value):
        for item in value:
            yield from _pieces(item, depth - 1)
    elif isinstance(value, dict) and depth:
        lower = {str(name).lower(): item for name, item in value.items()}
        name = next((name for name in _TEXT_NAMES if lower.get(name) is not None), None)
        if name is not None:
            yield from _pieces(lower[name], depth - 1)
        elif not any(name in lower for name in _TEXT_NAMES):
            raise LookupError
    else:
        raise LookupError


def _is_list_of_texts(values: Sequence[Any]) -> bool:
    """Whether it is a list of objects: one of plain texts may be said, as brackets of a list are written."""
    return all(isinstance(value, dict) for value in values) or all(isinstance(value, str) for value in values)


def _from_xml(text: str) -> str:
    text = _PROLOGUE.sub("", text)
    opening = _OUTER.match(text)
    if opening is None:
        return text
    closing = f"</{opening['name']}>"
    if not text.lower().endswith(closing.lower()):
        return text
    import html  # noqa: PLC0415 # its table of entities takes 2 ms, and few answers are XML

    inner = text[opening.end() : -len(closing)]
    inner = _INNER.sub(" ", _FACT.sub(" ", inner))
    lines = (" ".join(line.split()) for line in inner.splitlines())
    return html.unescape("\n".join(line for line in lines if line))
