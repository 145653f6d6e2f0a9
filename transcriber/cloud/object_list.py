"""Reads a page of ListObjectsV2 and the facts of an object; sends nothing.

A store may leave out or garble any field: an object with an odd date or size is an object all the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPMessage
from typing import Final
from urllib.parse import quote, unquote, unquote_to_bytes

# A date that is missing or none is the earliest one: such an object is older than whatever it is compared with.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_METADATA_PREFIX: Final = "x-amz-meta-"
# In a value: all that a header holds as it is, but the space, of which some are trimmed, and the sign of an encoding.
_VALUE_SAFE: Final = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}"
_SIZE: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class StoredObject:
    """The facts of an object without its bytes; `etag`, without quotes, is the version of the bytes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ObjectPage:
    """A page of a listing; `next_query` is what the next page is requested with, None after the last one."""

    objects: Sequence[StoredObject]
    next_query: Mapping[str, str] | None


def read_page(body: bytes) -> ObjectPage:
    """The page in the answer `body`; `xml.etree.ElementTree.ParseError` where it is no XML."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 # 0.01 s of CPU, which only listings need

    root = ET.fromstring(body)  # noqa: S314 # of the storage that the operator trusts
    if _tag(root.tag) != "ListBucketResult":
        raise ET.ParseError("not a listing")
    is_encoded = (root.findtext("{*}EncodingType") or "").strip() == "url"
    objects = [
        # Each part is read once, whatever its namespace: a search for each would take twice the CPU of all the rest.
        _object({_tag(part.tag): part.text or "" for part in content}, is_encoded=is_encoded)
        for content in root.iterfind("{*}Contents")
    ]
    objects = [stored for stored in objects if stored.key]
    next_query: dict[str, str] | None = None
    if (root.findtext("{*}IsTruncated") or "").strip().lower() == "true":
        if token := root.findtext("{*}NextContinuationToken"):
            next_query = {"continuation-token": token}
        elif objects:
            next_query = {"start-after": objects[-1].key}
    return ObjectPage(objects, next_query)


def error_code(body: bytes) -> str:
    """The code in an answer that is an error; an empty text where there is none."""
    found = re.search(rb"<Code>\s*(\w{1,100})\s*</Code>", body)
    return found[1].decode() if found else ""


def object_of_headers(key: str, headers: HTTPMessage) -> StoredObject:
    """The facts of the object `key` in the headers of an answer."""
    metadata = {
        name.lower().removeprefix(_METADATA_PREFIX): decoded_value(value)
        for name, value in headers.items()
        if name.lower().startswith(_METADATA_PREFIX)
    }
    content_type = headers.get("Content-Type")
    return StoredObject(
        key=key,
        etag=bare(headers.get("ETag")),
        size_bytes=_size(headers.get("Content-Length") or ""),
        modified_at=_http_date(headers.get("Last-Modified") or ""),
        metadata={**({"content-type": content_type} if content_type else {}), **metadata},
    )


def metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """The headers that store `metadata`; `Content-Type` among it is the object's own."""
    return {
        name if name.lower() == "content-type" else _METADATA_PREFIX + name.lower(): value
        if name.lower() == "content-type"
        else encoded_value(value)
        for name, value in metadata.items()
    }


def encoded_value(value: str) -> str:
    """A value of metadata as ASCII: what a header cannot hold as it is, percent-encoded."""
    return quote(value, safe=_VALUE_SAFE, errors="replace")


def decoded_value(value: str) -> str:
    """The value that was encoded; http.client reads headers as Latin-1."""
    return unquote(value.encode("latin-1", "replace").decode("utf-8", "replace"), errors="replace")


def bare(etag: str | None) -> str:
    """An ETag without quotes."""
    return (etag or "").strip().removeprefix("W/").strip('"')


def _object(fields: Mapping[str, str], *, is_encoded: bool) -> StoredObject:
    key = fields.get("Key", "")
    if is_encoded:
        # Some stores encode a space as a plus; all of them encode a plus of the key's own.
        key = unquote_to_bytes(key.replace("+", " ")).decode("utf-8", "replace")
    return StoredObject(
        key=key,
        etag=bare(fields.get("ETag")),
        size_bytes=_size(fields.get("Size", "")),
        modified_at=_iso_date(fields.get("LastModified", "")),
    )


@lru_cache(maxsize=64)  # a listing has a dozen names, each a thousand times a page
def _tag(name: str) -> str:
    return name.rpartition("}")[2]


def _size(text: str) -> int:
    return int(text) if _SIZE.fullmatch(text.strip()) else 0


def _iso_date(text: str) -> datetime:
    try:
        return _aware(datetime.fromisoformat(text.strip()))
    except ValueError:
        return EPOCH


def _http_date(text: str) -> datetime:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError):
        return EPOCH


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
