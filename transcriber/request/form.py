"""Reads forms of text: `multipart/form-data` and `application/x-www-form-urlencoded`, as clients send them.

The platform passes a form on unchanged as long as all of it is UTF-8, so a recording in it is base64 text. The body's
shape decides whether it is a form: `curl -d` labels JSON and bare base64 as a form, too.
"""

import re
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

from transcriber.errors import RequestError
from transcriber.request.body import binary_error, is_binary

# Many times the fields that a request has.
MAX_FIELDS: Final = 200
# The part of a body in which the first header of a form stands.
_EXAMINED_CHARACTERS: Final = 2_000
# By RFC 2046, 5.1.1.
_MAX_BOUNDARY_LENGTH: Final = 70
# `name=value`. Base64 text has "=" at its end alone; where a body ends so early, no recording is in it.
_URLENCODED = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_.%\[\]-]{0,63})=(?P<more>[^=&])?")
# The fields whose text is a recording.
FILE_FIELDS: Final = frozenset({"file", "audio"})
_ESCAPES_IN_BASE64: Final = tuple(
    (escape, character)
    for code, character in {"%2B": "+", "%2F": "/", "%3D": "=", "%0D": "", "%0A": ""}.items()
    for escape in (code, code.lower())
)
# What browsers add by themselves.
_OF_THE_FORM: Final = frozenset({"_charset_"})


def read_form(body: str, content_type: str, known: Iterable[str]) -> dict[str, Any] | None:
    """The fields of the form in `body`, each a text or a list of texts; None where the body is no form.

    Empty fields are left out: a form has all of its fields, whether somebody has filled them in or not, and some
    clients insist on a file.
    """
    boundary = _boundary(body, content_type)
    if boundary is not None:
        pairs = _read_multipart(body, boundary)
    elif _is_urlencoded(body, content_type, known):
        pairs = _read_urlencoded(body)
    else:
        return None
    return _gather(pairs)


def _boundary(body: str, content_type: str) -> str | None:
    """What separates the parts of a multipart form: by the header, or by the body's own first line."""
    named = _parameters(content_type).get("boundary", "") if "multipart/" in content_type.lower() else ""
    if named and f"--{named}" in body[: _EXAMINED_CHARACTERS + len(named)]:
        return named
    first, line_end, rest = body[:_EXAMINED_CHARACTERS].partition("\n")
    is_form = body.startswith("--") and line_end and "content-disposition" in rest.lower()
    boundary = first.rstrip("\r ")[2:]
    return boundary if is_form and 0 < len(boundary) <= _MAX_BOUNDARY_LENGTH else None


def _read_multipart(body: str, boundary: str) -> list[tuple[str, str]]:
    _, *parts = f"\n{body}".split(f"\n--{boundary}")
    fields = []
    for part in parts[: MAX_FIELDS + 1]:
        if part.startswith("--"):
            break
        fields.append(_read_part(part.lstrip(" \t").removeprefix("\r").removeprefix("\n").removesuffix("\r")))
    if len(fields) > MAX_FIELDS:
        raise _too_many()
    return fields


def _read_part(part: str) -> tuple[str, str]:
    match = re.search(r"\r?\n\r?\n", part[:_EXAMINED_CHARACTERS])
    head, value = (part[: match.start()], part[match.end() :]) if match else (part, "")
    headers = {name.strip().lower(): text for name, _, text in (line.partition(":") for line in head.splitlines())}
    parameters = _parameters(headers.get("content-disposition", ""))
    name = parameters.get("name", "")
    if not name:
        raise RequestError("A part of the form has no name: Content-Disposition: form-data; name=….")
    is_file = name in FILE_FIELDS or "filename" in parameters or "filename*" in parameters
    if is_file and is_binary(value):
        raise binary_error(f"The {name[:40]} of the multipart form is binary")
    return name, value


def _parameters(header: str) -> Mapping[str, str]:
    """The parameters of a header such as `form-data; name="file"`."""
    message = Message()
    message["Content-Type"] = " ".join(header.split())
    found = message.get_params([], unquote=True)
    return {name.lower(): value if isinstance(value, str) else value[-1] for name, value in found}


def _is_urlencoded(body: str, content_type: str, known: Iterable[str]) -> bool:
    match = _URLENCODED.match(body)
    if match is None:
        return False
    is_labelled = "application/x-www-form-urlencoded" in content_type.lower()
    return match["name"] in known or (is_labelled and match["more"] is not None)


def _read_urlencoded(body: str) -> list[tuple[str, str]]:
    texts = body.split("&", MAX_FIELDS)
    if len(texts) > MAX_FIELDS:
        raise _too_many()
    fields = []
    for text in filter(None, texts):
        name, _, value = text.partition("=")
        try:
            name = unquote_plus(name, errors="strict")
            value = _decoded_base64(value) if name in FILE_FIELDS else unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise RequestError("The form is not UTF-8; a recording in it is base64 text.", param="file") from None
        if name in FILE_FIELDS and is_binary(value):
            raise binary_error("The form is binary")
        fields.append((name, value))
    return fields


def _decoded_base64(value: str) -> str:
    """Base64 text whose plus signs were sent as they are, or encoded.

    What base64 consists of is replaced first: `unquote` makes an object of each escape, ten times the size of the text.
    """
    for escape, character in _ESCAPES_IN_BASE64:
        value = value.replace(escape, character)
    return unquote(value, errors="strict")


def _gather(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if not value.strip() or name in _OF_THE_FORM:
            continue
        if name in fields or name.endswith("[]"):
            before = fields.get(name, [])
            fields[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            fields[name] = value
    return fields


def _too_many() -> RequestError:
    return RequestError(f"The form has more than {MAX_FIELDS} fields; no request has as many.")
