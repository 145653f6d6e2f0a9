"""Reads fields of a request, and says what is wrong with them; it never knows which fields there are."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from transcriber.errors import RequestError

# How much of an unknown field's name a message repeats.
MAX_NAME_LENGTH = 40


def read_text(fields: Mapping[str, Any], name: str, *, prefix: str = "") -> str:
    """The text in the field `name`; `prefix` is where that field stands. `RequestError` when there is none."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise RequestError(f"{prefix}{name} is a text, and not empty.", param=f"{prefix}{name}")
    return value.strip()


def refuse_unknown(fields: Mapping[str, Any], known: Iterable[str], *, what: str, prefix: str = "") -> None:
    """`RequestError` for the first of `fields` that is no known field of `what`; it names the nearest one that is."""
    known = tuple(known)
    for name in fields:
        if name not in known:
            message = f"{short(name)} is no field of {what}.{nearest(name, known)}"
            raise RequestError(message, param=f"{prefix}{name[:MAX_NAME_LENGTH]}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The sentence that helps somebody who wrote `name`."""
    known = tuple(known)
    found = get_close_matches(name[:MAX_NAME_LENGTH].lower(), known, n=1)
    return f" Did you mean {found[0]}?" if found else f" Known are {', '.join(known)}."


def short(name: str) -> str:
    """`name` as a message repeats it: quoted, and not at any length."""
    return repr(name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…")
