"""Reads the request for an upload: a client's own recording, which it will PUT into Object Storage by itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from transcriber.errors import RequestError
from transcriber.request.fields import read_text, refuse_unknown
from transcriber.request.trigger import Trigger

# Longer than any file system's names; the key holds the end of it.
MAX_FILENAME_LENGTH = 1_024
# The type of bytes about which nothing is known: when the recording is read, the bytes decide.
DEFAULT_CONTENT_TYPE: Final = "application/octet-stream"
# The last two are OpenAI's, whose clients send them; a purpose has no meaning here.
UPLOAD_FIELDS: Final = ("filename", "bytes", "mime_type", "purpose")

MEDIA_TYPE: Final = r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?: ?; ?[A-Za-z0-9=._\"-]{1,127})?"


@dataclass(frozen=True)
class UploadRequest:
    """A file that a client wants to upload: its name, its exact size and the type that it will be sent with."""

    trigger: ClassVar[Trigger] = Trigger.HTTP

    filename: str
    size_bytes: int
    content_type: str = DEFAULT_CONTENT_TYPE


def read_upload(fields: Mapping[str, Any] | None) -> UploadRequest:
    """The upload in `fields`, which are None for another body; `RequestError` says what is wrong."""
    if fields is None:
        raise RequestError('An upload is requested in JSON: {"filename", "bytes"}; the file itself comes later.')
    refuse_unknown(fields, UPLOAD_FIELDS, what="an upload")
    filename = read_text(fields, "filename")
    if len(filename) > MAX_FILENAME_LENGTH:
        raise RequestError(f"filename has at most {MAX_FILENAME_LENGTH} characters.", param="filename")
    size = fields.get("bytes")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise RequestError("bytes is the size of the file: a whole number above 0.", param="bytes")
    content_type = fields.get("mime_type") or DEFAULT_CONTENT_TYPE
    if not isinstance(content_type, str) or not re.fullmatch(MEDIA_TYPE, content_type):
        raise RequestError("mime_type is a media type such as audio/mpeg.", param="mime_type")
    return UploadRequest(filename, size, content_type)
