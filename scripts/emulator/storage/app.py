"""Object Storage and Queues on this machine: moto's S3 and SQS, with the features of Scaleway's that moto lacks.

These are: signatures are checked, writes are decided one after the other, uploads are announced from the start, pages
may do what the bucket's CORS rules say, lifecycle rules end what is old on demand, and objects outlive the server if
required.
"""

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote

from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import CorsRule, FakeKey, S3Backend, s3_backends
from moto.sqs.models import sqs_backends

from emulator.storage.cors import ANY_PAGE, Headers, answer_headers, preflight_headers, without_cors
from emulator.storage.folder import KeptObject, StorageFolder
from emulator.storage.keys import problem_of_key, take_any_key
from emulator.storage.lifecycle import apply_rules, note_open_uploads
from emulator.storage.queue_limits import MAX_MESSAGE_BYTES, restrict_moto
from emulator.storage.server import (
    ACCESS_KEY_VARIABLE,
    ACCOUNT,
    DEAD_LETTERS_SUFFIX,
    LIFECYCLE_PATH,
    MAX_DELIVERIES,
    SECRET_KEY_VARIABLE,
)
from emulator.storage.signatures import S3, Refusal, refusal_of, service_of, wrong_hash

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# The announced events, by their names in S3 notifications: an upload of any kind, and a removal.
ANNOUNCED_EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]

# A body up to this size stays in memory while its signature is checked; a longer one is written to a file.
MAX_BODY_IN_MEMORY_BYTES = 8 * 1024 * 1024
# SQS takes 1 MiB a message; its body is JSON or a form, and is hashed to check the signature.
MAX_HASHED_BODY_BYTES = 16 * 1024 * 1024

HASHED_BLOCK_BYTES = 1024 * 1024

INCOMPLETE_BODY = Refusal(HTTPStatus.BAD_REQUEST, "IncompleteBody", "The body is shorter than its Content-Length")
NO_CORS = Refusal(HTTPStatus.FORBIDDEN, "AccessForbidden", "CORSResponse: no rule of the bucket allows this request")

FORM = "application/x-www-form-urlencoded"


def create_app(
    *, bucket: str, queue: str, region: str, visibility_timeout_seconds: int, folder: str | None = None
) -> "WSGIApplication":
    """The server with one `bucket`, which announces uploads and removals in the `queue` as S3 records.

    A message of the queue that is not deleted in time is received again after `visibility_timeout_seconds`, and moves
    to the queue of dead letters instead of being received for the fifth time. With a `folder`, objects are kept there.
    The environment variables `EMULATED_STORAGE_ACCESS_KEY` and `EMULATED_STORAGE_SECRET_KEY` hold the credentials.
    Raises `StorageFolderError`.
    """
    storage: S3Backend = s3_backends[ACCOUNT]["aws"]
    kept = None if folder is None else StorageFolder(Path(folder))
    if bucket not in storage.buckets:
        storage.create_bucket(bucket, region)
    if kept is not None:
        _load(kept, storage, region)
    storage.put_bucket_cors(bucket, [dict(ANY_PAGE)])  # as what sets a bucket up for uploads does
    take_any_key()
    restrict_moto()
    queues = sqs_backends[ACCOUNT][region]
    dead_letters = queues.create_queue(queue + DEAD_LETTERS_SUFFIX, {}).queue_arn
    redrive = {"deadLetterTargetArn": dead_letters, "maxReceiveCount": MAX_DELIVERIES}
    announced_to = queues.create_queue(
        queue,
        {},
        VisibilityTimeout=visibility_timeout_seconds,
        RedrivePolicy=json.dumps(redrive),
        MaximumMessageSize=MAX_MESSAGE_BYTES,
    ).queue_arn
    # Only now, so that kept objects are not announced again. moto puts a test event into the queue, which is removed.
    configuration = {"Queue": announced_to, "Event": ANNOUNCED_EVENTS}
    storage.put_bucket_notification_configuration(bucket, {"QueueConfiguration": [configuration]})
    queues.purge_queue(queue)
    credentials = Credentials(os.environ[ACCESS_KEY_VARIABLE], os.environ[SECRET_KEY_VARIABLE])
    return CheckedStorage(DomainDispatcherApplication(create_backend_app), credentials, storage, kept)


class CheckedStorage:
    """The WSGI application in front of moto's.

    moto has no lock between the check of a condition and the write, nor around a queue's list of messages, so it gets
    one request at a time. The exception is a receiver, which waits for messages and loses none.
    """

    def __init__(
        self,
        moto: "WSGIApplication",
        credentials: Credentials,
        storage: S3Backend,
        kept: StorageFolder | None,
    ) -> None:
        self._moto = moto
        self._credentials = credentials
        self._storage = storage
        self._kept = kept
        self._lock = threading.Lock()
        self._uploads_began: dict[str, datetime] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Check the request, pass it to moto when no other is there, and keep the changes."""
        rules = self._cors_rules(environ["RAW_URI"])
        if environ["REQUEST_METHOD"] == "OPTIONS":  # a browser's preflight request is never signed
            allowed = preflight_headers(rules, environ)
            return _refuse(NO_CORS, S3, start_response) if allowed is None else _answer({}, start_response, allowed)
        return self._signed(environ, _StartWithCors(start_response, answer_headers(rules, environ)))

    def _signed(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The answer to any request but a preflight."""
        with SpooledTemporaryFile(MAX_BODY_IN_MEMORY_BYTES) as body:
            size = _read_body(environ, body)
            service = service_of(environ)
            if size < int(environ.get("CONTENT_LENGTH") or 0):
                return _refuse(INCOMPLETE_BODY, service, start_response)
            hashed = body.read(MAX_HASHED_BODY_BYTES) if service != S3 else b""
            body.seek(0)
            refusal = refusal_of(environ, hashed, self._credentials)
            if refusal is None and service == S3:
                refusal = problem_of_key(environ["RAW_URI"].partition("?")[0]) or wrong_hash(
                    environ, lambda: _sha256(body)
                )
            if refusal is not None:
                return _refuse(refusal, service, start_response)
            if environ["PATH_INFO"] == LIFECYCLE_PATH:
                return self._fire_lifecycle(environ, start_response)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(size)
            if _is_receiver(environ, hashed):
                return list(self._moto(environ, start_response))
            with self._lock:
                answer = list(self._moto(environ, start_response))
                if service == S3 and environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
                    self._note(environ["RAW_URI"].partition("?")[0])
                return answer

    def _cors_rules(self, target: str) -> list[CorsRule]:
        bucket = self._storage.buckets.get(_bucket_and_key(target.partition("?")[0])[0])
        return [] if bucket is None else list(bucket.cors)

    def _fire_lifecycle(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """End what the rules of each bucket end, as if it were some days later."""
        days = float(parse_qs(environ["QUERY_STRING"]).get("days", ["0"])[0])
        removed, ended = 0, 0
        with self._lock:
            now = datetime.now() + timedelta(days=days)  # noqa: DTZ005 # moto's times are naive
            for name, bucket in self._storage.buckets.items():
                expired = apply_rules(bucket, self._uploads_began, now)
                removed += len(expired.keys)
                ended += len(expired.uploads)
                for key in expired.keys:
                    if self._kept is not None:
                        self._keep(f"/{quote(name)}/{quote(key)}", self._kept)
        return _answer({"objects": removed, "multipart_uploads": ended}, start_response, [])

    def _note(self, path: str) -> None:
        """Keep what a write to `path` has changed, and when an upload in parts began."""
        bucket = self._storage.buckets.get(_bucket_and_key(path)[0])
        if bucket is not None:
            note_open_uploads(bucket, self._uploads_began, datetime.now())  # noqa: DTZ005 # moto's times are naive
        if self._kept is not None:
            self._keep(path, self._kept)

    def _keep(self, path: str, kept: StorageFolder) -> None:
        """Keep the changes of a write to `path`: one object, or several, as when many are deleted at once."""
        bucket_name, key = _bucket_and_key(path)
        bucket = self._storage.buckets.get(bucket_name)
        present = {} if bucket is None else bucket.keys
        for name in [key] if key else {*kept.keys(bucket_name), *present}:
            found = present.get(name)
            if not isinstance(found, FakeKey):  # no object, or the delete marker of a version
                kept.remove(bucket_name, name)
            elif kept.version(bucket_name, name) != _version(found):
                etag, modified = _version(found)
                kept.keep(KeptObject(bucket_name, name, found.value, etag, dict(found.metadata), modified))


class _StartWithCors:
    """Starts an answer with the headers that the bucket's rules give it, and with no others of the kind."""

    def __init__(self, start_response: "StartResponse", headers: Headers) -> None:
        self._start_response = start_response
        self._headers = headers

    def __call__(self, status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
        return self._start_response(status, [*without_cors(headers), *self._headers], *exc_info)


def _bucket_and_key(path: str) -> tuple[str, str]:
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return bucket, key


def _is_receiver(environ: "WSGIEnvironment", body: bytes) -> bool:
    """Whether a request waits for messages, in either of SQS's protocols."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return bool(target == "AmazonSQS.ReceiveMessage")
    return environ.get("CONTENT_TYPE", "").startswith(FORM) and b"Action=ReceiveMessage" in body.split(b"&")


def _load(kept: StorageFolder, storage: S3Backend, region: str) -> None:
    for entry in kept.objects():
        if entry.bucket not in storage.buckets:
            storage.create_bucket(entry.bucket, region)
        found = storage.put_object(entry.bucket, entry.key, entry.body, etag=entry.etag)
        found.set_metadata(dict(entry.metadata), replace=True)
        found.last_modified = datetime.fromtimestamp(entry.modified)  # noqa: DTZ006 # moto's times are naive


def _version(found: FakeKey) -> tuple[str, float]:
    return found.etag.strip('"'), found.last_modified.timestamp()


def _read_body(environ: "WSGIEnvironment", body: IO[bytes]) -> int:
    """Read the request's body into `body`, so that no other request waits for a slow client; returns its size."""
    source = environ["wsgi.input"]
    while block := source.read(io.DEFAULT_BUFFER_SIZE * 8):
        body.write(block)
    size = body.tell()
    body.seek(0)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return size


def _sha256(body: IO[bytes]) -> str:
    """The hash of a body in hexadecimal; its reader is at the start afterwards."""
    digest = hashlib.sha256()
    while block := body.read(HASHED_BLOCK_BYTES):
        digest.update(block)
    body.seek(0)
    return digest.hexdigest()


def _answer(body: object, start_response: "StartResponse", headers: Headers) -> Iterable[bytes]:
    encoded = json.dumps(body).encode() if body else b""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(encoded))), *headers])
    return [encoded]


def _refuse(refusal: Refusal, service: str, start_response: "StartResponse") -> Iterable[bytes]:
    if service == S3:
        kind = "application/xml"
        body = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
    else:
        kind = "application/x-amz-json-1.0"
        body = json.dumps({"__type": "com.amazonaws.sqs#InvalidSecurity", "message": refusal.message})
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start_response(f"{refusal.status.value} {refusal.status.phrase}", headers)
    return [body.encode()]
