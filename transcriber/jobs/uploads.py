"""Uploads: a place in the storage for one file of a client, and an address to which the client alone can PUT it.

The address allows one object of the announced size and type, once, for a while. Its key cannot be guessed, and lies
under `.work/uploads/`, which sweeps and upload events pass over: it is transcribed only for a client
that names it. What it leads to lies beside it, so that one lifecycle rule ends all of it.
"""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import AudioTooLargeError
from transcriber.jobs.layout import kept_bucket, uploads_prefix
from transcriber.request.upload_request import UploadRequest
from transcriber.settings import BYTES_PER_MB, Settings

# The time until a PUT has begun; a slow line may take longer to end it.
LIFETIME_SECONDS: Final = 3_600
# As many random bits as a UUID has, and none of them fixed.
_RANDOM_BYTES: Final = 16
# Most of a key's 1,024 bytes are the prefix's and those of the results beside it.
MAX_NAME_BYTES: Final = 200
# The largest object of one PUT, by the protocol.
MAX_PUT_BYTES: Final = 5_000_000_000


@dataclass(frozen=True)
class UploadSlot:
    """The place of one upload; `headers` are part of the signature of `url`, and `expires_at` is a Unix time."""

    id: str
    url: str
    headers: Mapping[str, str]
    expires_at: int
    bucket: str
    key: str


def new_upload_key(settings: Settings, filename: str) -> tuple[str, str]:
    """An id, and a key under the prefix of uploads that holds it and ends like `filename`."""
    random_part = secrets.token_hex(_RANDOM_BYTES)
    return f"upload_{random_part}", f"{uploads_prefix(settings)}{random_part}/{_safe_name(filename)}"


def open_upload(request: UploadRequest, storage: ObjectStorage, settings: Settings) -> UploadSlot:
    """A place for the file; `AudioTooLargeError` for one that would not be read. It makes no request."""
    bucket = kept_bucket(settings, what="Uploads")
    max_bytes = min(settings.max_audio_bytes, MAX_PUT_BYTES)
    if request.size_bytes > max_bytes:
        limit, size = (value / BYTES_PER_MB for value in (max_bytes, request.size_bytes))
        raise AudioTooLargeError(f"The recording has {size:.1f} MB; the limit is {limit:g} MB.", param="bytes")
    upload_id, key = new_upload_key(settings, request.filename)
    headers = {
        "Content-Type": request.content_type,
        "Content-Length": str(request.size_bytes),
        "If-None-Match": "*",
    }
    expires_at = int(time.time()) + LIFETIME_SECONDS
    url = storage.presigned_put(bucket, key, headers, expires_seconds=LIFETIME_SECONDS)
    return UploadSlot(upload_id, url, headers, expires_at, bucket, key)


def _safe_name(filename: str) -> str:
    """The end of a key: the file's name without folders and without what would have to be encoded."""
    name = re.split(r"[/\\]", filename)[-1]
    name = re.sub(r"[^\w.-]+", "_", name).strip("._") or "recording"
    return name.encode()[-MAX_NAME_BYTES:].decode(errors="ignore")
