"""Reads, lists and conditionally writes objects of Object Storage; decides nothing about them.

Keys are sent as they are, whatever is in them. boto3 takes 0.44 s of CPU, 49 MiB and 33 MB of the archive for the same.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from transcriber.cloud.object_list import (
    StoredObject,
    bare,
    error_code,
    metadata_headers,
    object_of_headers,
    read_page,
)
from transcriber.cloud.signed_client import EXCHANGE_ERRORS, OpenAnswer, ServiceAnswer, SignedClient, SignedRequest
from transcriber.cloud.storage_errors import changed, no_bucket, refuse
from transcriber.deadline import Deadline
from transcriber.errors import (
    RequestError,
    SettingsError,
    SourceFailedError,
    SourceTimeoutError,
)
from transcriber.settings import Account, Settings

__all__ = ["BLOCK_BYTES", "MAX_KEY_BYTES", "ObjectStorage", "StoredObject"]

# Few and quick: the queue's redelivery and the sweep come on top of these.
MAX_ATTEMPTS: Final = 3
FIRST_WAIT_SECONDS: Final = 0.2
# Of one exchange that is small: a storage that sends byte after byte is given up then, whatever time is left.
EXCHANGE_SECONDS: Final = 20.0
# Of one that sends or receives a whole transcript, or a page of a listing, and of a download without a deadline.
LONGEST_SECONDS: Final = 3600.0
# The unit in which a download arrives: in smaller ones, the calls would cost more than the bytes.
BLOCK_BYTES: Final = 64 * 1024
MAX_KEY_BYTES: Final = 1024
# What the storage answers when the next attempt may be taken: 409 is a write of the same key that is under way.
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class ObjectStorage:
    """The buckets that the settings' key pair opens; several threads may use it at once.

    `within` returns the same storage, with the same connections, whose calls end by a deadline. Every call raises
    `SourceNotFoundError` for an object that is not there (unless it says otherwise), `StorageRefusedError` for what the
    key pair may not do, `SourceFailedError` for a failure after retries, `SourceTimeoutError` when no time is left,
    `RequestError` for what is no key, `SettingsError` for a bucket of another region.
    """

    def __init__(self, url: str, region: str, account: Account) -> None:
        self._client = SignedClient(url, account, region=region, service="s3")
        self._deadline: Deadline | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "ObjectStorage":
        """The storage of `settings`; `SettingsError` where they have no key pair."""
        if settings.storage is None:
            raise SettingsError("S3_ACCESS_KEY", "is not set, nor is S3_SECRET_KEY; objects are read with both")
        return cls(settings.storage_url, settings.storage_region, settings.storage)

    def within(self, deadline: Deadline) -> "ObjectStorage":
        """The same storage, all of whose calls end by `deadline`."""
        bound = object.__new__(ObjectStorage)
        bound._client, bound._deadline = self._client, deadline
        return bound

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """The object's facts; None where there is none."""
        answer = self.exchange(bucket, key, "HEAD", allowed=(HTTPStatus.NOT_FOUND,))
        return None if answer.status == HTTPStatus.NOT_FOUND else object_of_headers(key, answer.headers)

    def get(self, bucket: str, key: str) -> bytes:
        """All bytes of a small object."""
        return self.exchange(bucket, key, "GET").body

    def fetch(self, bucket: str, key: str) -> tuple[StoredObject, bytes]:
        """A small object's facts and bytes, of the same version."""
        answer = self.exchange(bucket, key, "GET")
        return object_of_headers(key, answer.headers), answer.body

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of the version `etag` from `start` to `end`, block by block; `SourceChangedError` for another one.

        Only the beginning is retried; the reader resumes what breaks off.
        """
        part = f"bytes={start}-{'' if end is None else end - 1}"
        headers = {"If-Match": f'"{etag}"', **({"Range": part} if start or end else {})}
        request = _request(bucket, key, "GET", headers)
        where = f"{bucket}/{key}"
        with self._begun(request, where) as answer:
            skipped = _begin(answer, etag, start, where)
            answer.extend(self._seconds(LONGEST_SECONDS))
            while block := self._block(answer, where):
                rest = block[skipped:] if skipped else block
                skipped -= min(skipped, len(block))
                if rest:
                    yield rest

    @contextmanager
    def _begun(self, request: SignedRequest, where: str) -> Iterator[OpenAnswer]:
        """An answer whose head arrived; the head alone is retried."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            with ExitStack() as stack:
                try:
                    answer = stack.enter_context(self._client.open(request, self._seconds(EXCHANGE_SECONDS)))
                except EXCHANGE_ERRORS:
                    self._check_time()
                    if attempt == MAX_ATTEMPTS:
                        raise SourceFailedError(f"Object Storage failed at {where}.", param="key") from None
                else:
                    if answer.status not in _PASSING or attempt == MAX_ATTEMPTS:
                        yield answer
                        return
            self._wait(FIRST_WAIT_SECONDS * attempt)

    def _block(self, answer: OpenAnswer, where: str) -> bytes:
        try:
            return answer.read(BLOCK_BYTES)
        except EXCHANGE_ERRORS:
            self._check_time()
            raise SourceFailedError(f"Object Storage broke off at {where}.", param="key") from None

    def put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str:
        """Write an object, whatever is there, and return its ETag."""
        return bare(self.exchange(bucket, key, "PUT", metadata_headers(metadata), body).headers.get("ETag"))

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        """Write an object where there is none, and return its ETag; None where there is one.

        Where the answer to a write is lost, its repetition finds the object that the first one wrote, and None is
        returned: the caller recognises its own by the metadata.
        """
        return self._write(bucket, key, body, {**metadata_headers(metadata), "If-None-Match": "*"})

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        """Write an object over its version `etag`, and return the new ETag; None where another or none is there.

        A lost answer is like that of `create`.
        """
        return self._write(bucket, key, body, {**metadata_headers(metadata), "If-Match": f'"{etag}"'})

    def presigned_put(self, bucket: str, key: str, headers: Mapping[str, str], *, expires_seconds: int) -> str:
        """An address to which anybody may PUT an object with exactly these `headers`, for `expires_seconds`."""
        return self._client.presigned_url(_request(bucket, key, "PUT", headers), expires_seconds)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        answer = self.exchange(bucket, key, "DELETE", allowed=(HTTPStatus.NOT_FOUND,))
        if answer.status == HTTPStatus.NOT_FOUND and error_code(answer.body) == "NoSuchBucket":
            raise no_bucket(bucket)

    def pages(
        self, bucket: str, prefix: str = "", *, after: str = "", deadline: Deadline | None = None
    ) -> Iterator[Sequence[StoredObject]]:
        """The objects whose keys begin with `prefix` and come after `after`, at most 1,000 a page, in their order.

        Each page is retried by itself.
        """
        if deadline is not None:
            yield from self.within(deadline).pages(bucket, prefix, after=after)
            return
        fixed = {"list-type": "2", "encoding-type": "url", **({"prefix": prefix} if prefix else {})}
        query: Mapping[str, str] | None = {"start-after": after} if after else {}
        while query is not None:
            request = SignedRequest("GET", _path(bucket), {**fixed, **query})
            answer = self._retried(request, f"the list of {bucket}", "bucket", ())
            try:
                page = read_page(answer.body)
            except (SyntaxError, ValueError):  # ElementTree's ParseError is a SyntaxError
                raise SourceFailedError(f"Object Storage did not list {bucket}.", param="bucket") from None
            yield page.objects
            if page.next_query == query:
                raise SourceFailedError(f"Object Storage lists a page of {bucket} again and again.", param="bucket")
            query = page.next_query

    def _write(self, bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        lost = (HTTPStatus.PRECONDITION_FAILED, *((HTTPStatus.NOT_FOUND,) if "If-Match" in headers else ()))
        answer = self.exchange(bucket, key, "PUT", headers, body, allowed=lost)
        if answer.status == HTTPStatus.NOT_FOUND and error_code(answer.body) == "NoSuchBucket":
            raise no_bucket(bucket)
        return None if answer.status in lost else bare(answer.headers.get("ETag"))

    def exchange(
        self,
        bucket: str,
        key: str,
        method: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        query: Mapping[str, str] | None = None,
        allowed: Sequence[int] = (),
    ) -> ServiceAnswer:
        """The answer to a request for one object, which may be repeated; its status is a success, or `allowed`."""
        request = replace(_request(bucket, key, method, headers or {}, body), query=query or {})
        return self._retried(request, f"{bucket}/{key}", "key", allowed)

    def _retried(self, request: SignedRequest, where: str, param: str, allowed: Sequence[int]) -> ServiceAnswer:
        """The answer to a request that may be repeated, which every request of the storage may."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            is_last = attempt == MAX_ATTEMPTS
            try:
                answer = self._client.exchange(request, self._seconds(EXCHANGE_SECONDS))
            except EXCHANGE_ERRORS:
                self._check_time()
                if is_last:
                    raise SourceFailedError(f"Object Storage failed at {where}.", param=param) from None
            else:
                if HTTPStatus(200) <= answer.status < HTTPStatus(300) or answer.status in allowed:
                    return answer
                if answer.status not in _PASSING or is_last:
                    refuse(answer.status, answer.body, where, param)
            self._wait(FIRST_WAIT_SECONDS * attempt)
        raise AssertionError  # the last attempt returned or raised

    def _seconds(self, longest_seconds: float) -> float:
        return longest_seconds if self._deadline is None else self._deadline.timeout_seconds(longest_seconds)

    def _wait(self, seconds: float) -> None:
        self._check_time()
        time.sleep(self._seconds(seconds))
        self._check_time()

    def _check_time(self) -> None:
        if self._deadline is not None and self._deadline.has_passed():
            raise SourceTimeoutError(f"Object Storage did not answer within {self._deadline.limit}.", param="key")


def _begin(answer: OpenAnswer, etag: str, start: int, where: str) -> int:
    """How many bytes of the body come before `start`; an error where the answer has not the version `etag`."""
    if answer.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        refuse(answer.status, _error_body(answer), where, "key")
    if bare(answer.headers.get("ETag")) not in {"", etag}:
        raise changed(where)  # a store that knows no conditions
    if answer.status == HTTPStatus.OK:
        return start
    if not (answer.headers.get("Content-Range") or "").lower().startswith(f"bytes {start}-"):
        raise SourceFailedError(f"Object Storage sent another part of {where}.", param="key")
    return 0


def _error_body(answer: OpenAnswer) -> bytes:
    try:
        return answer.read_all().body
    except EXCHANGE_ERRORS:
        return b""  # the status says enough


def _path(bucket: str, key: str | None = None) -> str:
    if not bucket.strip(".") or "/" in bucket or not bucket.isprintable():
        raise no_bucket(bucket)
    return f"/{bucket}" if key is None else f"/{bucket}/{key}"


def _request(bucket: str, key: str, method: str, headers: Mapping[str, str], body: bytes = b"") -> SignedRequest:
    """The request for one object; `RequestError` for a key that no object has."""
    try:
        is_valid = 0 < len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        is_valid = False
    if not is_valid:
        message = f"A key is UTF-8 text of 1 to {MAX_KEY_BYTES:,} bytes; {key[:40]!r} is not."
        raise RequestError(message, param="key")
    return SignedRequest(method, _path(bucket, key), headers=headers, body=body)
