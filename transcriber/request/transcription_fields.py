"""Reads the fields of a request for a transcript: its one source, its options, and where the answer goes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from transcriber.errors import RequestError
from transcriber.request.base64_text import Base64Text, read_base64
from transcriber.request.body import WAYS_IN
from transcriber.request.fields import MAX_KEY_BYTES, is_key, nearest, read_bucket, read_text, refuse_unknown, short
from transcriber.request.job_options import ASYNC_FIELD
from transcriber.request.options import OPTIONS, TranscriptionOptions, read_option
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import UrlReference
from transcriber.response_format import ResponseFormat

# What the query string may hold beside the options: a body that is a recording has no fields.
QUERY_FIELDS: Final = (*OPTIONS, ASYNC_FIELD)
SOURCE_FIELDS: Final = ("url", "input_audio", "audio", "file", "bucket", "key")
NOTIFICATION_FIELDS: Final = ("callback", "webhook_url")
KNOWN_FIELDS: Final = (*SOURCE_FIELDS, *OPTIONS, *NOTIFICATION_FIELDS, ASYNC_FIELD)
MAX_CALLBACK_LENGTH = 4_096


def read_source(fields: Mapping[str, Any]) -> UrlReference | ObjectReference | Base64Text:
    """The one source in `fields`; `RequestError` for none, for two, and for what is wrong with it."""
    given = [name for name in SOURCE_FIELDS if fields.get(name) is not None]
    if not given:
        raise RequestError(f"The request names no recording. {WAYS_IN}", param="url")
    if {*given} == {"bucket", "key"}:
        return _read_object(fields)
    if given in (["bucket"], ["key"]):
        missing = "key" if given == ["bucket"] else "bucket"
        raise RequestError("An object in Object Storage has a bucket and a key; send both.", param=missing)
    if len(given) > 1:
        raise RequestError(f"The request names {len(given)} sources ({', '.join(given)}); send one.", param=given[1])
    (name,) = given
    match name:
        case "url":
            return UrlReference(read_text(fields, name))
        case "audio" | "file":
            return read_base64(read_text(fields, name), param=name)
        case _:
            return _read_input_audio(fields[name])


def _read_object(fields: Mapping[str, Any]) -> ObjectReference:
    bucket = read_bucket(fields)
    read_text(fields, "key")
    key: str = fields["key"]  # unchanged: a space at its end is part of it
    if not is_key(key):
        raise RequestError(f"key is at most {MAX_KEY_BYTES} bytes of UTF-8.", param="key")
    return ObjectReference(bucket, key)


def _read_input_audio(value: object) -> Base64Text:
    if not isinstance(value, dict):
        raise RequestError('input_audio is an object: {"data": "<base64>", "format": "mp3"}.', param="input_audio")
    refuse_unknown(value, ("data", "format"), what="input_audio", prefix="input_audio.")
    if not isinstance(value.get("format", ""), str | None):
        raise RequestError("input_audio.format is a text such as mp3.", param="input_audio.format")
    return read_base64(read_text(value, "data", prefix="input_audio."), param="input_audio.data")


def read_options(fields: Mapping[str, Any], query: Mapping[str, str]) -> tuple[TranscriptionOptions, str | None]:
    """The options and the callback in body and query string."""
    for name in query:
        if name not in QUERY_FIELDS:
            message = f"{short(name)} is not an option for the query string.{nearest(name, QUERY_FIELDS)}"
            raise RequestError(message, param=name)
        if name in fields:
            raise RequestError(f"{name} is in the query string and in the body; leave one out.", param=name)
    fields = {**fields, **query}
    options = TranscriptionOptions()
    for name, (attribute, read) in OPTIONS.items():
        if fields.get(name) is not None:
            options = replace(options, **{attribute: read_option(name, fields[name], read)})
    if options.timestamp_granularities and options.response_format is not ResponseFormat.VERBOSE_JSON:
        message = "timestamp_granularities goes with response_format verbose_json."
        raise RequestError(message, param="timestamp_granularities")
    return options, _read_callback(fields)


def _read_callback(fields: Mapping[str, Any]) -> str | None:
    given = [name for name in NOTIFICATION_FIELDS if fields.get(name) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise RequestError("callback and webhook_url are the same; leave one out.", param=given[1])
    url = read_text(fields, given[0])
    if not re.fullmatch(r"(?i)https?://[^\s]+", url) or len(url) > MAX_CALLBACK_LENGTH:
        raise RequestError(f"{given[0]} is an http or https address.", param=given[0])
    return url
