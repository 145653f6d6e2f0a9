"""Reads the body of a POST: a JSON object, base64 text, or bytes that the platform has destroyed."""

import json
import re
from typing import Any, Final

from transcriber.errors import RequestError
from transcriber.request.base64_text import Base64Text, read_base64

WAYS_IN: Final = (
    'Send JSON with "url" (an http or https address), with "audio" (the recording as base64 text), '
    'or with "bucket" and "key" (an object in Object Storage), '
    "or a body that is base64 text and nothing else. A form may have the same fields, and the base64 text as its file."
)

# Shorter than any recording: a WAV header alone has 44 bytes. Words such as "ping" or "true" are valid base64.
MIN_ENCODED_LENGTH = 64
# Far more parts than a request has, even with commas and brackets in its prompt; a body full of them would parse to
# thirty times its size.
MAX_JSON_PARTS = 10_000
# How much of a body is examined to find out what kind of binary it is.
EXAMINED_CHARACTERS = 2_000


def read_json(body: str) -> dict[str, Any] | None:
    """The JSON object in `body`; None where the body is not JSON at all."""
    try:
        value = parse_bounded(body)
    except json.JSONDecodeError as error:
        if body.startswith("{"):
            message = f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
            raise RequestError(message) from None
        return None
    except RecursionError:
        raise RequestError("The body is JSON nested too deeply.") from None
    except ValueError:  # a number with more digits than Python reads
        raise RequestError("The body holds a number that is too long.") from None
    if not isinstance(value, dict):
        raise RequestError(f"The body is JSON, but not an object. {WAYS_IN}")
    refuse_half_characters(value)
    return value


def parse_bounded(text: str) -> Any:
    """The JSON value in `text`; `RequestError` where it has too many parts, and what `json.loads` raises otherwise.

    JSON within a string of JSON is bounded here, too: there, brackets may be escaped until the outer one is parsed.
    """
    if text.lstrip()[:1] in {"{", "["} and sum(map(text.count, "{[,")) > MAX_JSON_PARTS:
        raise RequestError(f"The JSON has more than {MAX_JSON_PARTS} parts; no request has as many. {WAYS_IN}")
    return json.loads(text, parse_constant=_refuse_constant)


def refuse_half_characters(value: object) -> None:
    """Raise `RequestError` if a text in `value` holds half of a surrogate pair: JSON can spell it, UTF-8 cannot."""
    left = [value]
    while left:
        match left.pop():
            case str() as text if not text.isascii() and re.search("[\ud800-\udfff]", text):
                raise RequestError("The body holds half a character, written as \\ud800 to \\udfff; write whole ones.")
            case list() as items:
                left += items
            case dict() as fields:
                left += [*fields.keys(), *fields.values()]


def read_encoded_body(body: str) -> Base64Text:
    """The recording that is the whole body."""
    if len(body) < MIN_ENCODED_LENGTH and not body.startswith("data:"):
        raise RequestError(f"The body is neither a JSON object nor a recording as base64 text. {WAYS_IN}")
    return read_base64(body, param=None)


def refuse_binary(body: str) -> None:
    """Raise `RequestError` for a binary body: the platform replaces each byte that is not UTF-8 by U+FFFD."""
    if is_binary(body):
        raise binary_error("The body is binary")


def is_binary(text: str) -> bool:
    """Whether `text` was binary before the platform made a text of it."""
    return "\ufffd" in text or re.search(r"[\x00-\x08\x0e-\x1f]", text[:EXAMINED_CHARACTERS]) is not None


def binary_error(found: str) -> RequestError:
    """The error of a recording that was destroyed on its way, with each way that works."""
    return RequestError(
        f"{found}, and the platform destroys binary bodies before this function receives them. Send the recording as "
        "base64 text instead: base64 talk.mp3 | curl --data-binary @- …, JSON with "
        '"audio": "<base64>", or a form whose file is that text (base64 talk.mp3 | curl -F file=@- …; with an OpenAI '
        "SDK, audio.transcriptions.create with a file of base64 text, or chat.completions). Or send its address "
        '("url"), or, for one in Object Storage, its "bucket" and "key"; uploads put it there.'
    )


def _refuse_constant(name: str) -> float:
    raise RequestError(f"The body holds {name}, which JSON does not have.")
