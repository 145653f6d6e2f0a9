"""Reads single fields of a JSON object, and says what is wrong with them; knows nothing about requests."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from transcriber.errors import RequestError

# The part of an unknown field's name that a message repeats.
MAX_NAME_LENGTH = 40
# Limits of Object Storage: a key in bytes of UTF-8, and a bucket's name.
MAX_KEY_BYTES = 1_024
MAX_BUCKET_LENGTH = 63


def read_text(fields: Mapping[str, Any], name: str, *, prefix: str = "") -> str:
    """The text in the field `name`; `RequestError` if it is not a text, or empty. `prefix` begins the field's path."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise RequestError(f"{prefix}{name} is a text, and not empty.", param=f"{prefix}{name}")
    return value.strip()


def is_bucket(text: str) -> bool:
    """Whether `text` can be the name of a bucket."""
    return len(text) <= MAX_BUCKET_LENGTH and bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text))


def is_key(text: str) -> bool:
    """Whether `text` can be a key or its beginning: not empty, not too long, and without half characters."""
    try:
        return 0 < len(text.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        return False


def read_bucket(fields: Mapping[str, Any], *, prefix: str = "") -> str:
    """The bucket in the field `bucket`; `RequestError` where it cannot be one."""
    bucket = read_text(fields, "bucket", prefix=prefix)
    if not is_bucket(bucket):
        raise RequestError(f"{prefix}bucket is not the name of a bucket.", param=f"{prefix}bucket")
    return bucket


def refuse_unknown(fields: Mapping[str, Any], known: Iterable[str], *, what: str, prefix: str = "") -> None:
    """Raise `RequestError` for the first of `fields` that is not a `known` one of `what`, with the nearest that is."""
    known = tuple(known)
    for name in fields:
        if name not in known:
            message = f"{short(name)} is not a field of {what}.{nearest(name, known)}"
            raise RequestError(message, param=f"{prefix}{name[:MAX_NAME_LENGTH]}")


def nearest(name: str, known: tuple[str, ...] | Mapping[str, Any]) -> str:
    """The end of a message about the unknown `name`: the nearest of `known`, or all of them."""
    found = get_close_matches(name[:MAX_NAME_LENGTH].lower(), known, n=1)
    return f" Did you mean {found[0]}?" if found else f" Known are {', '.join(known)}."


def short(name: str) -> str:
    """`name` as a message repeats it."""
    return repr(name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…")
