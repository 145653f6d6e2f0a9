"""Reads and conditionally writes objects of Object Storage; decides nothing about them.

The client is obstore, whose import and first store take 0.04 s of CPU and 15 MiB, 16 MB unpacked; boto3 takes 0.44 s,
49 MiB and 33 MB for the same, minio 30 MiB and 13 MB and four times obstore's start. Only listings are made by
`transcriber.cloud.listing`: obstore gives up a whole listing at the first key with an empty or a dot segment.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from transcriber.errors import (
    RequestError,
    SettingsError,
    SourceChangedError,
    SourceFailedError,
    SourceNotFoundError,
    SourceRefusedError,
)
from transcriber.settings import Account, Settings

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import S3Credential, S3Store

CONNECT_TIMEOUT_SECONDS = 5.0
# Storage that sends nothing for this long has stalled; the margin between TIME_LIMIT and the timeout outlasts it once.
STALL_TIMEOUT_SECONDS = 8.0
# Few and quick: the queue's redelivery and the sweep come on top of these.
MAX_RETRIES = 2
RETRY_SECONDS = 5.0
# The unit in which a download arrives: in smaller ones, the calls would cost more than the bytes.
BLOCK_BYTES = 64 * 1024
# A client is kept for each of this many buckets, the last ones used: recordings and results are in one or two, and
# requests may name any number of buckets that do not exist.
MAX_CLIENTS = 4


@dataclass(frozen=True)
class StoredObject:
    """The facts of an object without its bytes; `etag`, without quotes, is the version of the bytes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


class ObjectStorage:
    """The buckets that the settings' key pair opens.

    Every call raises `SourceNotFoundError` for an object that is not there (unless it says otherwise),
    `SourceRefusedError` for what the key pair may not do, `SourceFailedError` for a failure after retries,
    `RequestError` for a key that the client cannot express.
    """

    def __init__(self, url: str, region: str, account: Account) -> None:
        self._url = url
        self._region = region
        self._account = account
        self._clients: OrderedDict[str, S3Store] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings) -> "ObjectStorage":
        """The storage of `settings`; `SettingsError` where they have no key pair."""
        if settings.storage is None:
            raise SettingsError("S3_ACCESS_KEY", "is not set, nor is S3_SECRET_KEY; objects are read with both")
        return cls(settings.storage_url, settings.storage_region, settings.storage)

    def head(self, bucket: str, key: str) -> StoredObject | None:
        """The object's facts; None where there is none."""
        try:
            with _failures(bucket, key):
                result = self._client(bucket).get(key, options={"head": True})
        except SourceNotFoundError:
            return None
        meta = result.meta
        metadata = {name.lower(): value for name, value in result.attributes.items()}
        return StoredObject(key, _bare(meta["e_tag"]), meta["size"], meta["last_modified"], metadata)

    def get(self, bucket: str, key: str) -> bytes:
        """All bytes of a small object."""
        with _failures(bucket, key):
            return bytes(self._client(bucket).get(key).bytes())

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of the version `etag` from `start`, block by block; `SourceChangedError` for another one."""
        with _failures(bucket, key):
            options: GetOptions = {"if_match": f'"{etag}"'}
            if start:  # not always: an empty object has no range
                options["range"] = {"offset": start}
            yield from self._client(bucket).get(key, options=options).stream(min_chunk_size=BLOCK_BYTES)

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        """Write an object where there is none, and return its ETag; None where there is one."""
        return self._put(bucket, key, body, metadata, None)

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        """Write an object over its version `etag`, and return the new ETag; None where another or none is there."""
        return self._put(bucket, key, body, metadata, etag)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        with _failures(bucket, key):
            self._client(bucket).delete(key)

    def _put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], etag: str | None) -> str | None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415 # as with the store

        with _failures(bucket, key):
            try:
                result = self._client(bucket).put(
                    key, body, attributes=dict(metadata), mode="create" if etag is None else {"e_tag": f'"{etag}"'}
                )
            except (AlreadyExistsError, PreconditionError):
                return None
        return _bare(result["e_tag"])

    def _client(self, bucket: str) -> "S3Store":
        if bucket in self._clients:
            self._clients.move_to_end(bucket)
            return self._clients[bucket]
        client = self._clients[bucket] = self._new_client(bucket)
        if len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        return client

    def _new_client(self, bucket: str) -> "S3Store":
        from obstore.store import S3Store  # noqa: PLC0415 # 0.03 s of CPU at a cold start, which only objects need

        return S3Store(
            bucket,
            # Both names of it, and the keys by a function, so that no variable named AWS_* is read in their place.
            endpoint=self._url,
            aws_endpoint_url_s3=self._url,
            region=self._region,
            credential_provider=_credentials(self._account),
            skip_signature=False,
            virtual_hosted_style_request=False,
            disable_bulk_delete=True,
            client_options={
                "allow_http": self._url.startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_SECONDS),
                "read_timeout": timedelta(seconds=STALL_TIMEOUT_SECONDS),
                # A long recording is read for as long as it is sent to the API; the reader keeps the deadline.
                "timeout": timedelta(hours=1),
            },
            retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
        )


def _credentials(account: Account) -> "Callable[[], S3Credential]":
    def provide() -> "S3Credential":
        return {
            "access_key_id": account.access_key,
            "secret_access_key": account.secret_key,
            "token": None,
            "expires_at": None,
        }

    return provide


@contextmanager
def _failures(bucket: str, key: str) -> Iterator[None]:
    """Raise the client's exceptions, whose texts hold addresses and answers, as our errors."""
    from obstore.exceptions import (  # noqa: PLC0415 # as with the store
        BaseError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    where = f"{bucket}/{key}"
    try:
        yield
    except FileNotFoundError:
        raise SourceNotFoundError(f"There is no object {where}, or no such bucket.", param="key") from None
    except (PermissionDeniedError, PermissionError, UnauthenticatedError):
        message = f"Object Storage refuses {where} to the key pair of S3_ACCESS_KEY; it needs to read and write there."
        raise SourceRefusedError(message, param="bucket") from None
    except PreconditionError:
        raise SourceChangedError(f"The object {where} changed while it was read.", param="key") from None
    except ValueError:
        message = (
            f"The key {key!r} cannot be read: it has an empty, '.' or '..' segment, or control characters. Rename it."
        )
        raise RequestError(message, param="key") from None
    except (BaseError, OSError):
        raise SourceFailedError(f"Object Storage failed at {where}.", param="key") from None


def _bare(etag: str | None) -> str:
    return (etag or "").removeprefix("W/").strip('"')
