"""The options of a transcription: the type, range and spelling of each, and how it is read and written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from transcriber.errors import RequestError
from transcriber.response_format import ResponseFormat

T = TypeVar("T")

# More than any vocabulary list or instruction needs, and little beside a model's context of 32k tokens.
MAX_PROMPT_LENGTH = 8_000
MAX_MODEL_LENGTH = 200
# The longest that RFC 5646 (4.4.1) has everybody accept; a pattern would take seconds over megabytes.
MAX_LANGUAGE_LENGTH = 35
# The output limit that the Generative APIs document for Voxtral.
MAX_OUTPUT_TOKENS = 16_384
# Containers number their tracks in a byte, or have a handful of them.
MAX_TRACK = 255
ALL_TRACKS: Final = "all"
# The range of the OpenAI API.
MAX_TEMPERATURE = 2.0
# How a form or a query string spells a flag; curl users and HTML forms write each of these.
FLAGS: Final = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


# Prompts that ask for the words and nothing else, as the documentation's own example does.
_TRANSCRIBE = re.compile(
    r"(?:please )?transcribe(?: (?:this|the|my))?(?: (?:audio|recording|speech|sound|voice|file|clip|memo))*"
    r"(?: (?:verbatim|word for word|exactly|please))?[.!]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TranscriptionOptions:
    """How a recording is transcribed; None leaves the choice to the function.

    With `dry_run`, it is not transcribed at all: the answer is what it would cost. With `allow_partial`, a chunk that
    cannot be transcribed is a gap in the transcript instead of an error. `track` is the number of a track of the file,
    from 0, or "all", one after another.
    `prompt_is_instruction` marks the text of a chat's messages, which only a model that follows instructions can use.
    """

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    response_format: ResponseFormat = ResponseFormat.JSON
    timestamp_granularities: tuple[str, ...] = ()
    prompt_is_instruction: bool = False
    dry_run: bool = False
    allow_partial: bool = False
    track: int | Literal["all"] | None = None

    @property
    def asks_for_words(self) -> bool:
        """Whether a chat model is instructed to write the words alone: such an answer can be checked."""
        return self.prompt is None or _TRANSCRIBE.fullmatch(self.prompt) is not None

    @property
    def wants_times(self) -> bool:
        """Whether the answer says when words are said."""
        return self.response_format.has_times

    def to_fields(self) -> dict[str, Any]:
        """The fields of a request with these options; those at their default are left out."""
        fields = {
            name: getattr(self, name)
            for name in ("model", "language", "prompt", "temperature", "top_p", "max_tokens", "track")
        }
        if self.response_format is not ResponseFormat.JSON:
            fields["response_format"] = self.response_format.value
        if self.timestamp_granularities:
            fields["timestamp_granularities"] = list(self.timestamp_granularities)
        for name in ("dry_run", "allow_partial"):
            if getattr(self, name):
                fields[name] = True
        return {name: value for name, value in fields.items() if value is not None}


class _InvalidOptionError(ValueError):
    """An option's value is wrong; the text says what the option is instead."""


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _InvalidOptionError("is a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise _InvalidOptionError("is a number") from None


def _temperature(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= MAX_TEMPERATURE:
        raise _InvalidOptionError(f"is between 0 and {MAX_TEMPERATURE:g}")
    return number


def _top_p(value: object) -> float:
    number = _number(value)
    if not 0 < number <= 1:
        raise _InvalidOptionError("is above 0 and at most 1")
    return number


def _max_tokens(value: object) -> int:
    number = _number(value)
    if not 1 <= number <= MAX_OUTPUT_TOKENS or number != int(number):
        raise _InvalidOptionError(f"is a whole number from 1 to {MAX_OUTPUT_TOKENS}")
    return int(number)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _InvalidOptionError("is a text, and not empty")
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair, UTF-8 cannot
        raise _InvalidOptionError("holds half a character, written as \\ud800 to \\udfff") from None
    return value.strip()


def _prompt(value: object) -> str:
    text = _text(value)
    if len(text) > MAX_PROMPT_LENGTH:
        raise _InvalidOptionError(f"has at most {MAX_PROMPT_LENGTH} characters, not {len(text)}")
    return text


def _model(value: object) -> str:
    text = _text(value)
    if len(text) > MAX_MODEL_LENGTH or not text.isprintable():
        raise _InvalidOptionError("is the name of a model, such as whisper-large-v3")
    return text


def _language(value: object) -> str:
    """ISO 639-1; a region (`fr-FR`, `pt_BR`) is dropped, since the models know languages alone."""
    text = _text(value)
    match = re.fullmatch(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9]{1,8})*", text[:MAX_LANGUAGE_LENGTH])
    if not match or len(text) > MAX_LANGUAGE_LENGTH:
        raise _InvalidOptionError("is a code of ISO 639-1 with two letters, such as en or fr")
    return match[1].lower()


def _response_format(value: object) -> ResponseFormat:
    try:
        return ResponseFormat(_text(value).lower())
    except ValueError:
        raise _InvalidOptionError(f"is one of {', '.join(ResponseFormat)}") from None


def _granularities(value: object) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list) and "word" in values:
        raise _InvalidOptionError('cannot be "word": neither API gives the times of words. Ask for ["segment"]')
    if values != ["segment"]:
        raise _InvalidOptionError('is ["segment"]')
    return ("segment",)


def _flag(value: object) -> bool:
    """JSON's true and false, and their names, as forms and query strings have them."""
    read = FLAGS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(read, bool):
        raise _InvalidOptionError("is true or false")
    return read


def _track(value: object) -> int | Literal["all"]:
    text = value.strip().lower() if isinstance(value, str) else value
    if text == ALL_TRACKS:
        return ALL_TRACKS
    if isinstance(text, str) and re.fullmatch(r"[0-9]{1,3}", text):
        return int(text)
    if isinstance(text, bool) or not isinstance(text, int) or not 0 <= text <= MAX_TRACK:
        raise _InvalidOptionError(f'is the number of a track, from 0 to {MAX_TRACK}, or "all"')
    return text


# The name in a request, the attribute that it becomes, and what reads it.
OPTIONS: Final[Mapping[str, tuple[str, Callable[[object], Any]]]] = {
    "model": ("model", _model),
    "language": ("language", _language),
    "prompt": ("prompt", _prompt),
    "temperature": ("temperature", _temperature),
    "top_p": ("top_p", _top_p),
    "max_tokens": ("max_tokens", _max_tokens),
    "response_format": ("response_format", _response_format),
    "timestamp_granularities": ("timestamp_granularities", _granularities),
    "timestamp_granularities[]": ("timestamp_granularities", _granularities),
    "dry_run": ("dry_run", _flag),
    "allow_partial": ("allow_partial", _flag),
    "track": ("track", _track),
}


def read_option(name: str, value: object, read: Callable[[object], T]) -> T:
    """`value` as the option `name` takes it; `RequestError` says what it should be."""
    try:
        return read(value)
    except _InvalidOptionError as error:
        raise RequestError(f"{name} {error}.", param=name) from None


def read_response_format(fields: Mapping[str, object]) -> ResponseFormat | None:
    """The format that `fields` name; None where they name none."""
    value = fields.get("response_format")
    return None if value is None else read_option("response_format", value, _response_format)
