"""Lists the objects of a bucket, page by page, in the order of their keys; reads and writes none of them.

It calls ListObjectsV2 itself: obstore gives up a whole listing at the first key that has an empty or a dot segment, and
treats prefixes as folders only.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, unquote_to_bytes
from xml.etree import ElementTree as ET

import requests

from transcriber.cloud.object_storage import StoredObject
from transcriber.cloud.signing import signed_session
from transcriber.deadline import Deadline
from transcriber.errors import SourceFailedError, SourceNotFoundError, SourceRefusedError
from transcriber.retry import RetryPolicy
from transcriber.settings import Settings

TIMEOUT_SECONDS: Final = 20.0


class Listing:
    """Listings of the buckets that the settings' key pair opens; the connection is kept."""

    def __init__(self, settings: Settings, *, retry: RetryPolicy | None = None) -> None:
        if settings.storage is None:
            raise AssertionError  # the storage, which has the same keys, was made before
        self._url = settings.storage_url
        self._retry = retry or RetryPolicy(max_attempts=3)
        self._session = signed_session(settings.storage, region=settings.storage_region, service="s3")

    def pages(
        self, bucket: str, prefix: str = "", *, after: str = "", deadline: Deadline
    ) -> Iterator[Sequence[StoredObject]]:
        """The objects whose keys begin with `prefix` and come after `after`, at most 1,000 a page.

        `SourceNotFoundError`, `SourceRefusedError` or, after retries, `SourceFailedError`.
        """
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix, "start-after": after}
        while True:
            root = self._retry(partial(self._page, bucket, query, deadline), deadline=deadline)
            yield [_read(content) for content in root.iterfind("{*}Contents")]
            token = root.findtext("{*}NextContinuationToken")
            if root.findtext("{*}IsTruncated") != "true" or not token:
                return
            query = {"list-type": "2", "encoding-type": "url", "prefix": prefix, "continuation-token": token}

    def _page(self, bucket: str, query: dict[str, str], deadline: Deadline) -> ET.Element:
        """One page."""
        # Encoded as it is signed: requests would write a space as a plus.
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
        url = f"{self._url}/{quote(bucket, safe='')}?{text}"
        try:
            timeout_seconds = deadline.timeout_seconds(TIMEOUT_SECONDS)
            answer = self._session.get(url, timeout=timeout_seconds, allow_redirects=False)
            if answer.status_code == HTTPStatus.OK:
                return ET.fromstring(answer.content)  # noqa: S314 # of the storage that the operator trusts
        except (requests.RequestException, ET.ParseError):
            raise SourceFailedError(f"Object Storage did not list {bucket}.", param="bucket") from None
        raise _failure(bucket, answer.status_code)


def _failure(bucket: str, status: int) -> Exception:
    if status == HTTPStatus.NOT_FOUND:
        return SourceNotFoundError(f"There is no bucket {bucket}.", param="bucket")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        message = f"Object Storage refuses a list of {bucket} to the key pair of S3_ACCESS_KEY."
        return SourceRefusedError(message, param="bucket")
    return SourceFailedError(f"Object Storage answered {status} when asked to list {bucket}.", param="bucket")


def _read(content: ET.Element) -> StoredObject:
    # Each part is read once, whatever its namespace: a search for each would take twice the CPU of all the rest.
    fields = {part.tag.rpartition("}")[2]: part.text or "" for part in content}
    return StoredObject(
        # Some stores encode a space as a plus; all of them encode a plus of the key's own.
        key=unquote_to_bytes(fields.get("Key", "").replace("+", " ")).decode("utf-8", "replace"),
        etag=fields.get("ETag", "").strip('"'),
        size_bytes=int(fields.get("Size") or 0),
        modified_at=datetime.fromisoformat(fields.get("LastModified") or "1970-01-01T00:00:00Z"),
    )
