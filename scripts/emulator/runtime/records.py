"""The record of status, headers and body that the core finds in the sub-runtime's text; pure.

The core reads it by Go's `json.Unmarshal`: keys without regard to case, the last of several wins, and a field of a
wrong type does not keep the others from being read.
"""

import json
import re
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined] # public in the module, absent from its stubs
from typing import Any, NoReturn

# Go's int.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_INTEGERS = range(-(2**63), 2**63)
_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass
class Record:
    """A record; `body` is the field's JSON as it was written, and all are `None` or empty if they are absent.

    `is_well_typed` is false if the text is no JSON object, or if one of the fields has a wrong type.
    """

    status: int | None = None
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    is_base64: bool = False
    is_well_typed: bool = True


def record_of(text: str) -> Record:
    """The record in `text`."""
    record = Record()
    try:
        pairs = _raw_pairs(text)
    except (ValueError, RecursionError):
        return Record(is_well_typed=False)
    for name, value, raw in pairs:
        match name.casefold():
            case "statuscode":
                _set_status(record, value, raw)
            case "body":
                record.body = raw
            case "headers":
                _set_headers(record, value)
            case "isbase64encoded":
                if isinstance(value, bool):
                    record.is_base64 = value
                elif value is not None:
                    record.is_well_typed = False
    return record


def _set_status(record: Record, value: Any, raw: str) -> None:
    if value is None:
        record.status = None
    elif _INTEGER.fullmatch(raw) and value in _INTEGERS:
        record.status = value
    else:
        record.is_well_typed = False


def _set_headers(record: Record, value: Any) -> None:
    if value is None:
        record.headers = {}
    elif not isinstance(value, dict):
        record.is_well_typed = False
    else:
        for name, header in value.items():
            text = _header_text(header)
            record.headers[name] = text or ""
            if text is None:
                record.is_well_typed = False


def _header_text(value: object) -> str | None:
    """A header's value as text, `None` if it has a wrong type; a list of one string is documented to work."""
    if value is None:
        return ""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def _raw_pairs(text: str) -> list[tuple[str, Any, str]]:
    """The names, values and raw values of the JSON object in `text`; raises `ValueError` if it is something else."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    if not isinstance(decoder.decode(text), dict):
        raise ValueError("The text is another JSON value")  # noqa: TRY004 # of a text, as of one that is no JSON
    pairs = []
    position = _after_space(text, _after_space(text, 0) + 1)
    while text[position] != "}":
        name, position = scanstring(text, position + 1, True)  # noqa: FBT003 # strict; it takes no keywords
        start = _after_space(text, _after_space(text, position) + 1)
        value, position = decoder.raw_decode(text, start)
        pairs.append((name, value, text[start:position]))
        position = _after_space(text, position)
        if text[position] == ",":
            position = _after_space(text, position + 1)
    return pairs


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
